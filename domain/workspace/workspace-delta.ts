import { inKeyOrder } from './canonical-snapshot.ts';
import type { AnyJson } from './any-json.ts';
import type { RepoRole, SnapshotContent, WorkspaceLink } from './workspace-snapshot.ts';

/** One difference between two states. */
export interface WorkspaceChange {
  /** `['repos', NAME]` or `['links', 'REPO/DEP']`. */
  readonly path: readonly [part: 'repos' | 'links', key: string];
  readonly before: AnyJson;
  readonly after: AnyJson;
}

/** The differences between a current and a desired state. */
export interface WorkspaceDelta {
  readonly added: readonly WorkspaceChange[];
  readonly removed: readonly WorkspaceChange[];
  readonly changed: readonly WorkspaceChange[];
}

/** What a plan establishes about a repository that is there. */
export interface RepoState {
  readonly name: string;
  readonly path: string;
  readonly origin: string | null;
  readonly role: RepoRole;
  /** False for a folder that is no repository. */
  readonly isRepository: boolean;
  /** Null when HEAD is detached; in a desired state also when any will do. */
  readonly branch: string | null;
  /** The commit of a detached HEAD; null when HEAD is on a branch; in a desired state also when any will do. */
  readonly commit: string | null;
}

/** Repositories that are there, by name. */
export function repoStates({ repos, git }: SnapshotContent): ReadonlyMap<string, RepoState> {
  const states = new Map(git.map((state) => [state.repo, state]));
  return new Map(
    repos
      .filter((repo) => repo['exists?'])
      .map(({ name, path, origin, role }) => {
        const { branch = null, head_sha = null, 'is_git_repo?': isRepository = false } = states.get(name) ?? {};
        return [name, { name, path, origin, role, isRepository, branch, commit: branch === null ? head_sha : null }];
      }),
  );
}

/** The key of a link in plans: `phoenix_ecto/phoenix`. */
export function linkKey({ repo, dep }: Pick<WorkspaceLink, 'repo' | 'dep'>): string {
  return `${repo}/${dep}`;
}

/** Links between repositories that are there, by {@link linkKey}. */
export function linksByKey({
  repos,
  links,
}: Pick<SnapshotContent, 'repos' | 'links'>): ReadonlyMap<string, WorkspaceLink> {
  const there = new Set(repos.filter((repo) => repo['exists?']).map(({ name }) => name));
  const holding = links.filter(({ repo, dep }) => there.has(repo) && there.has(dep));
  return new Map(holding.map((link) => [linkKey(link), link]));
}

/**
 * What differs between two states: repositories that are there, their folder, their branch or commit, and links. A
 * desired branch or commit that is null is what the current one is. Remarks, counts of commits and changed files are
 * observations: no plan establishes them.
 */
export function diffWorkspaces(current: SnapshotContent, desired: SnapshotContent): WorkspaceDelta {
  const [added, removed, changed]: [WorkspaceChange[], WorkspaceChange[], WorkspaceChange[]] = [[], [], []];
  const [reposBefore, reposAfter] = [repoStates(current), repoStates(desired)];
  for (const [name, after] of reposAfter) {
    const before = reposBefore.get(name);
    const path = ['repos', name] as const;
    // a folder in its place is not the repository
    if (before === undefined || (after.isRepository && !before.isRepository))
      added.push({ path, before: null, after: { ...after } });
    else if (differs(before, after)) changed.push({ path, before: { ...before }, after: { ...after } });
  }
  for (const [name, before] of reposBefore) {
    if (!reposAfter.has(name)) removed.push({ path: ['repos', name], before: { ...before }, after: null });
  }
  const [linksBefore, linksAfter] = [linksByKey(current), linksByKey(desired)];
  // a link that is new is added, not changed
  for (const [key, after] of linksAfter) {
    if (!linksBefore.has(key)) added.push({ path: ['links', key], before: null, after: { ...after } });
  }
  for (const [key, before] of linksBefore) {
    if (!linksAfter.has(key)) removed.push({ path: ['links', key], before: { ...before }, after: null });
  }
  const sorted = (changes: readonly WorkspaceChange[]): readonly WorkspaceChange[] =>
    inKeyOrder(changes, ({ path }) => path);
  return { added: sorted(added), removed: sorted(removed), changed: sorted(changed) };
}

/** True when there is nothing to do. */
export function isEmptyDelta({ added, removed, changed }: WorkspaceDelta): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** True when a repository that is there has to change. */
function differs(before: RepoState, after: RepoState): boolean {
  if (before.path !== after.path) return true;
  if (after.branch !== null) return after.branch !== before.branch;
  return after.commit !== null && (before.branch !== null || after.commit !== before.commit);
}
