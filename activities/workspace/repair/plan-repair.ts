import { canonicalText } from '../../../domain/workspace/canonical-snapshot.ts';
import { desiredSnapshot } from '../../../domain/workspace/desired-snapshot.ts';
import type { Loss } from '../../../domain/workspace/flows/teardown-flow.ts';
import { planWorkspace } from '../../../domain/workspace/plan-workspace.ts';
import { type Remedy, remedyOf } from '../../../domain/workspace/repair-policy.ts';
import type { RepoDrift } from '../../../domain/workspace/workspace-drift.ts';
import type { DesiredRepo, WorkspaceManifest } from '../../../domain/workspace/workspace-manifest.ts';
import { manifestOf } from '../../../domain/workspace/workspace-manifest.ts';
import type { WorkspaceSnapshot } from '../../../domain/workspace/workspace-snapshot.ts';
import { createGit, type Git } from '../../git/git.ts';
import type { PlanSite } from '../plan-run.ts';
import { wantedManifest } from '../prepare/wanted-manifest.ts';
import { privateGit } from '../quarantine/work-state.ts';
import { unkeptWork } from '../quarantine/quarantine-repository.ts';
import { readDrift } from '../read-drift.ts';
import { excludesFile, readRepositories } from '../read-workspace.ts';
import { isKeepable } from '../unsaved-work.ts';
import { identifyPlan, identifySnapshot } from '../workspace-ids.ts';
import { workspaceStateAt } from '../workspace-state-file.ts';

/** A repository that a person decides about before it leaves the workspace, or is left as it is. */
export interface RepairQuestion extends Loss {
  /**
   * The folder of a repository that leaves when it is confirmed; null for something that the person resolves, so that the
   * confirmation asks to look again.
   */
  readonly path: string | null;
}

/** The plan that repairs a workspace, and what people decide first. */
export interface RepairPlan {
  /** The file of the plan; null when nothing has to be done. */
  readonly bytes: string | null;
  /** What it does, a sentence each. */
  readonly steps: readonly string[];
  readonly questions: readonly RepairQuestion[];
}

/** What a repair is asked for. */
export interface RepairRequest {
  /** Names of the repositories that stay as they are. */
  readonly left: readonly string[];
  /**
   * Names of the repositories that may leave without a question as long as they have no work: an earlier manifest has asked
   * for them, or a person has confirmed it. Others were attached by a person, who may mean to keep them.
   */
  readonly agreed: readonly string[];
  /** The file of the plan that the workspace was made by; null where its manifest alone says what it shall be. */
  readonly plan: Uint8Array | string | null;
}

/** Lines about a repository that people see in a question. */
const MOST_LINES = 20;

/**
 * Plans the repair of the workspace at a real path: what its manifest asks for and what is not so. Changes nothing. What differs by bytes counts, never a time of change.
 */
export async function planRepair(
  root: string,
  { left, agreed, plan: made }: RepairRequest,
  { dataDir, cacheDir, env, signal }: Pick<PlanSite, 'dataDir' | 'cacheDir' | 'env' | 'signal'>,
): Promise<RepairPlan> {
  const git = createGit(cacheDir, env);
  const options = { git, env, signal };
  const excludes = await excludesFile(root, env);
  const [found, state] = await Promise.all([wantedManifest(root, made, signal), workspaceStateAt(root)]);
  const { manifest } = found;
  const isWanted = new Set(manifest.repositories.map(({ path }) => path));
  const others = manifestOf(state.repos.filter(({ path }) => !isWanted.has(path))).repositories;
  const all = { ...manifest, repositories: [...manifest.repositories, ...others] };
  const { snapshot } = await readRepositories(root, { ...found, manifest: all }, options);
  const drift = await readDrift({ ...found, snapshot });
  const states = new Map(snapshot.git.map((one) => [one.repo, one]));
  const desired = new Map(all.repositories.map((repo) => [repo.name, repo]));
  const questions: RepairQuestion[] = [];
  const remedies = new Map<string, Remedy>();
  for (const each of drift.repos) {
    const { repo: name, details, classification } = each;
    const place = desired.get(name);
    const inProgress = states.get(name)?.in_progress ?? 'none';
    const remedy = remedyOf({ classification, hasOrigin: (place?.origin ?? null) !== null, inProgress });
    if (place === undefined || remedy === 'nothing') continue;
    remedies.set(name, left.includes(name) ? 'nothing' : remedy);
    if (left.includes(name)) continue;
    if (remedy === 'person') {
      const said = inProgress === 'none' ? details : [...details, `git waits for the end of: ${inProgress}`];
      const seen = await linesOfGit(git, `${root}/${place.path}`, { excludes, signal });
      questions.push({ name, path: null, work: [...said, ...seen] });
    } else if (remedy === 'remove' && each.observed_path !== null) {
      const tools = { git, dataDir, options: { excludes, signal } };
      const work = await unkeptWork(tools, root, `${root}/${place.path}`);
      if (work.length > 0 || !agreed.includes(name))
        questions.push({ name, path: work.every(isKeepable) ? place.path : null, work: [...details, ...work] });
    }
  }
  const both = statesOf(snapshot, all, manifest, remedies);
  const facts = { environment: manifest.environment };
  const content = { ...planWorkspace(both.current, both.desired, facts), action: 'repair' as const };
  const plan = identifyPlan(content, new Date().toISOString());
  return {
    bytes: content.operations.length === 0 ? null : `${canonicalText(plan)}\n`,
    steps: stepsOf(drift.repos, remedies).concat(
      content.operations.flatMap(({ type, target }) => (type === 'create_link' ? [`${target} is linked again`] : [])),
    ),
    questions,
  };
}

/** What is there, and what shall be there; repositories without a remedy are the same in both. */
function statesOf(
  snapshot: WorkspaceSnapshot,
  all: WorkspaceManifest,
  manifest: WorkspaceManifest,
  remedies: ReadonlyMap<string, Remedy>,
): { readonly current: WorkspaceSnapshot; readonly desired: WorkspaceSnapshot } {
  const isWanted = new Set(manifest.repositories.map(({ name }) => name));
  const isThere = new Set(snapshot.repos.flatMap(({ name, 'exists?': there }) => (there ? [name] : [])));
  const repositories = all.repositories.flatMap((repo): DesiredRepo[] => {
    const remedy = remedies.get(repo.name) ?? 'nothing';
    if (remedy === 'clone') return [repo];
    if (remedy === 'remove' || !isThere.has(repo.name)) return [];
    // as it is: only what the manifest asks for can have drifted
    return isWanted.has(repo.name) && !remedies.has(repo.name) ? [repo] : [{ ...repo, origin: null, branch: null }];
  });
  const names = new Set(repositories.map(({ name }) => name));
  const links = manifest.links?.filter(({ from, to }) => names.has(from) && names.has(to)) ?? null;
  // what a repository declares itself goes with it
  const ends = new Set(snapshot.repos.flatMap(({ name }) => (names.has(name) ? [name] : [])));
  const current = { ...snapshot, links: snapshot.links.filter(({ repo, dep }) => ends.has(repo) && ends.has(dep)) };
  return {
    current: identifySnapshot(current),
    desired: identifySnapshot(desiredSnapshot(current, { ...manifest, repositories, links })),
  };
}

function stepsOf(drift: readonly RepoDrift[], remedies: ReadonlyMap<string, Remedy>): string[] {
  return drift.flatMap(({ repo, observed_path: path }) => {
    const remedy = remedies.get(repo);
    if (remedy === 'clone') return [`${repo} is cloned again`];
    return remedy === 'remove' && path !== null ? [`${repo} leaves`] : [];
  });
}

/** What git says about a repository, for people; nothing for a folder that it cannot read. */
async function linesOfGit(
  git: Git,
  folder: string,
  options: { readonly excludes: string; readonly signal: AbortSignal | undefined },
): Promise<readonly string[]> {
  try {
    const about = await privateGit(git, folder, options);
    const args = ['status', '--short', '--branch', '--untracked-files=normal', '--ignore-submodules=dirty'];
    const lines = (await git.run(args, about)).toString('utf8').split('\n').filter(Boolean);
    const more = lines.length - MOST_LINES;
    return more <= 0 ? lines : [...lines.slice(0, MOST_LINES), `and ${more} more`];
  } catch (error) {
    options.signal?.throwIfAborted();
    return [`git cannot read it: ${error instanceof Error ? error.message : String(error)}`];
  }
}
