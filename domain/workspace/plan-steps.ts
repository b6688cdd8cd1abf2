import type { AnyJson } from './any-json.ts';
import { linkKey, type RepoState } from './workspace-delta.ts';
import type { OperationType, PlanOperation } from './workspace-plan.ts';
import type { WorkspaceLink, WorkspaceRepo, WorkspaceTopology } from './workspace-snapshot.ts';

/** An operation and its parameters, without its place in a plan. */
type Act = Pick<PlanOperation, 'type' | 'target' | 'params'>;

/** A step of a plan before it has its place. */
export interface PlanStep extends Act {
  /** The repositories that it is about; for a link, the one that depends and then the other. */
  readonly repos: readonly string[];
  /** The folder that it makes or removes; null when it does neither. */
  readonly folder: string | null;
  /** What takes it back; null for a program, whose files go with its repository. */
  readonly inverse: Act | null;
}

/** Makes or removes a link between two repositories in these folders. */
export function linkStep(
  operation: 'create_link' | 'remove_link',
  link: WorkspaceLink,
  places: ReadonlyMap<string, Pick<RepoState, 'path'>>,
): PlanStep {
  const { repo, dep, type } = link;
  const [repoPath, depPath] = [repo, dep].map((name) => places.get(name)?.path ?? name);
  const [target, params] = [linkKey(link), { repo, dep, type, repo_path: repoPath ?? repo, dep_path: depPath ?? dep }];
  const inverse: Act = { type: operation === 'create_link' ? 'remove_link' : 'create_link', target, params };
  return { type: operation, target, params, repos: [link.repo, link.dep], folder: null, inverse };
}

/** Takes a repository out of the workspace. */
export function detachStep(state: RepoState): PlanStep {
  const { name: target, path } = state;
  const inverse: Act = { type: 'attach_repo', target, params: attached(state, 'clone') };
  return { type: 'detach_repo', target, params: { path }, repos: [target], folder: path, inverse };
}

/** Clones a repository into the workspace. */
export function cloneStep(state: RepoState): PlanStep {
  const { name: target, path } = state;
  const inverse: Act = { type: 'detach_repo', target, params: { path } };
  return { type: 'attach_repo', target, params: attached(state, 'clone'), repos: [target], folder: path, inverse };
}

/** Checks out another branch or commit of a repository that is there. */
export function switchStep(before: RepoState, after: RepoState): PlanStep {
  const { name: target } = after;
  const inverse: Act = { type: 'attach_repo', target, params: attached(before, 'switch') };
  return { type: 'attach_repo', target, params: attached(after, 'switch'), repos: [target], folder: null, inverse };
}

/** The programs that prepare a repository, one after the other. */
export function setupSteps(
  { name: target, path, setup }: WorkspaceRepo,
  environment: Readonly<Record<string, string>>,
): PlanStep[] {
  return setup.map((argv) => {
    const params = { argv, cwd: path, environment };
    return { type: 'run_command', target, params, repos: [target], folder: null, inverse: null };
  });
}

function attached({ path, origin, role, branch, commit }: RepoState, how: 'clone' | 'switch'): PlanOperation['params'] {
  return { how, path, origin, role, branch, commit };
}

/**
 * The steps with their places, and with what each must wait for. A step waits only for steps before it:
 *
 * - a repository is detached after its links are removed;
 * - one is attached after those whose folder it takes, surrounds or is inside of are detached;
 * - a link is made after both of its repositories are attached;
 * - a program runs after its repository is attached and linked, and after the programs of those that it needs.
 */
export function placeSteps(steps: readonly PlanStep[], topology: WorkspaceTopology): PlanOperation[] {
  const attach = placesOf(steps, 'attach_repo');
  const detach = placesOf(steps, 'detach_repo');
  const link = placesOf(steps, 'create_link');
  const unlink = placesOf(steps, 'remove_link');
  const run = placesOf(steps, 'run_command');
  const folders = steps.flatMap(({ type, folder }, at) =>
    type === 'detach_repo' && folder !== null ? [{ at, folder }] : [],
  );

  function waitsOf({ type, target, repos, folder }: PlanStep): readonly number[] {
    switch (type) {
      case 'detach_repo':
        return unlink.get(target) ?? [];
      case 'attach_repo':
        return [
          ...(detach.get(target) ?? []),
          ...(unlink.get(target) ?? []),
          ...folders.filter((gone) => folder !== null && overlaps(gone.folder, folder)).map(({ at }) => at),
        ];
      case 'create_link':
        return repos.flatMap((name) => attach.get(name) ?? []);
      case 'run_command':
        return [
          ...(attach.get(target) ?? []),
          ...(link.get(target) ?? []).filter((at) => steps[at]?.repos[0] === target),
          ...(run.get(target) ?? []),
          ...(topology.providers[target] ?? []).flatMap((name) => run.get(name) ?? []),
        ];
      case 'remove_link':
      case 'rewrite_file':
      case 'validate_repo':
        return [];
    }
  }

  return steps.map((step, index) => {
    const { type, target, params } = step;
    // in a cycle of repositories the order of the list decides
    const depends_on = [...new Set(waitsOf(step))].filter((at) => at < index).sort((a, b) => a - b);
    return { index, type, target, params, depends_on, status: 'pending', result: null };
  });
}

/** The inverses in reverse order; each waits for the inverses of what waited for it. */
export function inverseOf(steps: readonly PlanStep[], operations: readonly PlanOperation[]): PlanOperation[] {
  const undone = operations.toReversed().flatMap(({ index }) => {
    const inverse = steps[index]?.inverse ?? null;
    return inverse === null ? [] : [{ index, inverse }];
  });
  const workspacePath = new Map(undone.map(({ index }, at) => [index, at]));
  const waiting = new Map<number, number[]>();
  for (const { index, depends_on } of operations) {
    const at = workspacePath.get(index);
    for (const before of at === undefined ? [] : depends_on) append(waiting, before, at ?? 0);
  }
  return undone.map(({ index: undoes, inverse }, index) => {
    const depends_on = (waiting.get(undoes) ?? []).toSorted((a, b) => a - b);
    return { index, ...inverse, depends_on, status: 'pending', result: null satisfies AnyJson };
  });
}

/** The places of the steps of a type, by the repositories that they are about. */
function placesOf(steps: readonly PlanStep[], wanted: OperationType): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [at, { type, repos }] of steps.entries()) {
    for (const name of type === wanted ? repos : []) append(places, name, at);
  }
  return places;
}

function append<Key>(lists: Map<Key, number[]>, key: Key, item: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** True when one of two folders is the other or is inside it. */
function overlaps(a: string, b: string): boolean {
  return a === b || a === '.' || b === '.' || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
