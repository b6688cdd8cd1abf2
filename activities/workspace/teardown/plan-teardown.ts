import { LonghaulError } from '../../../domain/shared/failures.ts';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import type { Loss, TeardownMode } from '../../../domain/workspace/flows/teardown-flow.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import { teardownStates } from '../../../domain/workspace/teardown-states.ts';
import { testsPassing } from '../../../domain/workspace/validation-record.schema.ts';
import { manifestOf } from '../../../domain/workspace/workspace-manifest.ts';
import { createGit } from '../../git/git.ts';
import type { PlanSite } from '../plan-run.ts';
import { unkeptWork } from '../quarantine/quarantine-repository.ts';
import { excludesFile, readRepositories } from '../read-workspace.ts';
import { isKeepable } from '../unsaved-work.ts';
import { identifyPlan, identifySnapshot } from '../workspace-ids.ts';
import { readWorkspaceManifest } from '../workspace-manifest-file.ts';
import { validationRecords } from '../validation/validation-files.ts';
import { workspaceStateAt } from '../workspace-state-file.ts';
import { baseOf } from './base-snapshot.ts';
import { neededElsewhere } from './needed-elsewhere.ts';

/** The plan that ends a workspace, and what it would cost. */
export interface TeardownPlan {
  /** The file of the plan; null when nothing has to be done. */
  readonly bytes: string | null;
  readonly operations: number;
  /** Repositories with work that only this disk has, and those whose tests are not known to pass. */
  readonly losses: readonly (Loss & { readonly path: string | null })[];
  /** See {@link TeardownResult.needed}. */
  readonly needed: readonly string[];
}

/**
 * Plans the end of the workspace at a real path; changes nothing. Throws `PlanPreconditionFailed` for work that could not be
 * kept in quarantine either, such as an operation that waits for its end.
 */
export async function planTeardown(
  root: string,
  mode: Exclude<TeardownMode, 'preserve'>,
  { dataDir, cacheDir, env, signal }: Pick<PlanSite, 'dataDir' | 'cacheDir' | 'env' | 'signal'>,
): Promise<TeardownPlan> {
  const git = createGit(cacheDir, env);
  const options = { git, env, signal };
  const [{ manifest }, state, base] = await Promise.all([
    readWorkspaceManifest(root, signal),
    workspaceStateAt(root),
    baseOf(dataDir, root),
  ]);
  const places = new Map(
    [...(base?.repos ?? []), ...manifest.repositories, ...state.repos].map(({ name, path }) => [path, { name, path }]),
  );
  const found = { manifest: manifestOf([...places.values()]), file: null, passedOver: [] };
  const { snapshot } = await readRepositories(root, found, options);
  const managed = new Set(state.repos.map(({ path }) => path));
  const needed =
    mode === 'clean' ? await neededElsewhere(dataDir, root, [...managed], options) : new Map<string, string>();
  const ownLinks = new Set([
    ...(manifest.links ?? []).map(({ from, to }) => `${from}/${to}`),
    ...snapshot.links.flatMap((link) =>
      link.preimage === null && link.files.length === 0 ? [] : [`${link.repo}/${link.dep}`],
    ),
  ]);
  const states = teardownStates({ current: snapshot, base, managed, needed: new Set(needed.keys()), ownLinks }, mode);
  const content = planWorkspace(identifySnapshot(states.current), identifySnapshot(states.desired));
  const leaving = content.operations.flatMap(({ type, target, params: { path } }) =>
    type === 'detach_repo' && typeof path === 'string' ? [{ name: target, path }] : [],
  );
  const tools = { git, dataDir, options: { excludes: await excludesFile(root, env), signal } };
  const losses: (Loss & { path: string | null })[] = [];
  for (const { name, path } of leaving) {
    const work = await unkeptWork(tools, root, `${root}/${path}`);
    const unkeepable = work.filter((each) => !isKeepable(each));
    if (unkeepable.length > 0) {
      const why = `${name} cannot leave the workspace: ${unkeepable.join('; ')}. End that first.`;
      throw new LonghaulError('PlanPreconditionFailed', why);
    }
    if (work.length > 0) losses.push({ name, path, work });
  }
  const records = await validationRecords(root);
  const heads = new Map(snapshot.git.map(({ repo, head_sha: commit }) => [repo, commit]));
  const there = new Set(snapshot.repos.flatMap(({ name, 'exists?': isThere }) => (isThere ? [name] : [])));
  for (const { name, role, commands } of manifest.repositories) {
    const tests = Object.keys(commands);
    if (role !== 'write' || tests.length === 0 || !there.has(name)) continue;
    const passes = testsPassing(records, name, heads.get(name) ?? null);
    if (passes === true) continue;
    const why = passes === false ? 'failed at its commit' : 'is not recorded for its commit';
    losses.push({ name: `tests:${name}`, path: null, work: [`a run of ${tests.join(', ')} ${why}`] });
  }
  const plan = identifyPlan(content, new Date().toISOString());
  const { operations } = content;
  return {
    bytes: operations.length === 0 ? null : `${canonicalText(plan)}\n`,
    operations: operations.length,
    losses,
    needed: [...needed].map(([path, why]) => `${path} stays: ${why}`),
  };
}
