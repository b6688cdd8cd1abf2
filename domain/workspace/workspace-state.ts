import { inKeyOrder } from './canonical-snapshot.ts';

/** The version of `.graft/state.json` that this program reads and writes: Graft's own. */
export const STATE_VERSION = 1;

/** Whether a workspace has attached a repository (`managed`), or it was there before (`external`). */
export type RepoOwnership = 'external' | 'managed';

/** A dependency in a `mix.exs` that was rewritten to a folder. Keys are those of Graft's `.graft/state.json`. */
export interface LinkEntry {
  /** The repository that depends. */
  readonly repo: string;
  readonly repo_path: string;
  /** The package that it takes from a folder. */
  readonly target_app: string;
  readonly mix_exs_path: string;
  /** SHA-256 of the file before and after, in hexadecimal. */
  readonly mix_exs_before_hash: string;
  readonly mix_exs_after_hash: string;
  /** The declaration before and after: undoing a link puts the first one back in the place of the second one. */
  readonly preimage: string;
  readonly replacement: string;
  readonly operation: 'link_on';
}

/** A repository that a plan has attached. */
export interface ManagedRepo {
  readonly name: string;
  /** Its folder, relative to the root. */
  readonly path: string;
  readonly ownership: 'managed';
  /** The id of the plan. */
  readonly plan: string;
}

/** What a workspace has done to its folder and what it must take back: `.graft/state.json`. */
export interface WorkspaceState {
  readonly entries: readonly LinkEntry[];
  /** Graft does not know this key, and ignores it. */
  readonly repos: readonly ManagedRepo[];
}

/** How the state changes. */
export interface StateChange {
  /** Repositories that are there now because of a plan. */
  readonly attached?: readonly ManagedRepo[];
  /** The folders that are no longer there. */
  readonly detached?: readonly string[];
  /** Links that are made: each takes the place of one of the same file to the same package. */
  readonly linked?: readonly LinkEntry[];
  /** Links that are taken back. */
  readonly unlinked?: readonly LinkEntry[];
}

/** The state of a workspace that has none. */
export const NO_WORKSPACE_STATE: WorkspaceState = { entries: [], repos: [] };

/** The state after a change. Making the same change again gives the same state. */
export function changedState(
  { entries, repos }: WorkspaceState,
  { attached = [], detached = [], linked = [], unlinked = [] }: StateChange,
): WorkspaceState {
  const gone = new Set([...detached, ...attached.map(({ path }) => path)]);
  const keptRepos = repos.filter(({ path }) => !gone.has(path));
  const ends = new Set([...linked, ...unlinked].map(linkOf));
  const keptEntries = entries.filter((entry) => !ends.has(linkOf(entry)));
  return {
    entries: inKeyOrder([...keptEntries, ...linked], ({ repo, target_app, mix_exs_path }) => [
      repo,
      target_app,
      mix_exs_path,
    ]),
    repos: inKeyOrder([...keptRepos, ...attached], ({ name, path }) => [name, path]),
  };
}

function linkOf({ mix_exs_path: path, target_app: app }: LinkEntry): string {
  return `${path}\0${app}`;
}

/** True when there is nothing to keep: the file is then removed. */
export function isEmptyState({ entries, repos }: WorkspaceState): boolean {
  return entries.length === 0 && repos.length === 0;
}

/** Who has attached the repository in a folder. */
export function ownershipOf({ repos }: WorkspaceState, path: string): RepoOwnership {
  return repos.some((repo) => repo.path === path) ? 'managed' : 'external';
}
