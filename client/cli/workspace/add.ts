import { createGit } from '../../../activities/git/git.ts';
import { parseRemote } from '../../../activities/git/clone-url.ts';
import { addToManifest } from '../../../activities/workspace/edit-manifest.ts';
import { planMembership } from '../../../activities/workspace/plan-membership.ts';
import { readWorkspaceManifest, realRoot } from '../../../activities/workspace/workspace-manifest-file.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { nameOfOrigin } from '../../../domain/workspace/name-of-origin.ts';
import { type DesiredRepo, isRepoPath } from '../../../domain/workspace/workspace-manifest.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { printGraftJson } from './graft-json.ts';
import { membershipJson, membershipLines, type MembershipOptions, type MembershipOutcome } from './membership.ts';
import { originOfTarget } from './origin-of-target.ts';
import { runPlan } from './run-plan.ts';

/** Options of `longhaul workspace add`. */
export interface AddOptions extends MembershipOptions {
  /** Also write them into the manifest. @default false */
  readonly toManifest?: boolean;
  /** The branch that is checked out. @default the default branch */
  readonly branch?: string;
}

/**
 * `longhaul workspace add`: clones repositories into a workspace, all of them or none. One that is there with this origin is
 * left. Exit code 9 when something is in the way.
 */
export async function addCommand(
  context: CliContext,
  targets: readonly string[],
  options: AddOptions,
): Promise<number> {
  const { cacheDir, env, stdout, config } = context;
  const { dryRun = false, toManifest = false, json = false } = options;
  const root = await realRoot(options.root);
  const found = await readWorkspaceManifest(root);
  const known = new Map(found.manifest.repositories.map((repo) => [repo.name, repo]));
  const repos = targets.map((target): DesiredRepo => {
    const origin = parseRemote(originOfTarget(target, config.providers)).url;
    const name = nameOfOrigin(origin);
    const repo = known.get(name);
    const path = repo?.path ?? name;
    if (!isRepoPath(path)) throw new LonghaulError('InvalidInput', `${target} has no name that a folder can have.`);
    const branch = options.branch ?? repo?.branch ?? null;
    return { name, path, origin, branch, role: repo?.role ?? 'write', setup: [], commands: {} };
  });
  const twice = repos.find(({ name }, at) => repos.findIndex((other) => other.name === name) < at);
  if (twice !== undefined) throw new LonghaulError('InvalidInput', `Two of the repositories are called ${twice.name}.`);
  const git = createGit(cacheDir, env);
  const { plan, checked } = await planMembership({ root, repos, does: 'add' }, { git, env });
  const there = new Map(plan.current.repos.map((repo) => [repo.name, repo]));
  const outcomes = repos.map(({ name, path, origin }): MembershipOutcome => {
    const repo = there.get(name);
    const isThere = repo?.['exists?'] === true && repo.origin === origin;
    const failures = checked
      .filter(({ precondition, problem }) => problem !== null && precondition.target === name)
      .map(({ precondition: { message, type }, problem }) => ({
        kind: 'plan_precondition_failed',
        message: `${message} But ${problem}.`,
        details: { name, path, type },
      }));
    const elsewhere = repo?.['exists?'] === true && !isThere && failures.length === 0;
    const other = `There is another repository at ${path}, from ${repo?.origin ?? 'nowhere'}.`;
    const all = elsewhere
      ? [{ kind: 'plan_precondition_failed', message: other, details: { name, path, type: 'path_free' } }]
      : failures;
    const status = all.length > 0 ? 'error' : isThere ? 'present' : dryRun ? 'planned' : 'added';
    const message = isThere ? `it is at ${path} already` : `cloned from ${origin} into ${path}`;
    return { name, path, status, message, delete: false, dirty: false, failures: all };
  });
  const general = checked.filter(
    ({ precondition, problem }) => problem !== null && !repos.some(({ name }) => name === precondition.target),
  );
  if (general.length > 0) {
    const lines = general.map(({ precondition: { message }, problem }) => `${message} But ${problem}.`);
    throw new LonghaulError('PlanPreconditionFailed', lines.join('\n'));
  }
  const isRefused = outcomes.some(({ status }) => status === 'error');
  const print = (applied: boolean): number => {
    const flags = { dryRun, applied, delete: false, force: false };
    if (json) printGraftJson(stdout, membershipJson('add', root, outcomes, flags));
    else for (const line of membershipLines(outcomes)) stdout.write(`${printable(line)}\n`);
    return isRefused ? FAILURES.PlanPreconditionFailed.exitCode : 0;
  };
  if (isRefused || dryRun) return print(false);
  const finish = async (): Promise<number> => {
    // a run that is repeated after this point has nothing left to clone
    if (toManifest) await addToManifest(root, found, repos);
    return print(true);
  };
  if (plan.operations.length === 0) return finish();
  return runPlan(context, canonicalText(plan), { root }, finish, { wait: true });
}
