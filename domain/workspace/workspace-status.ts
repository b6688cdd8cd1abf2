import type { DependencySource } from './package-manifest.ts';
import type { GitInProgress, RepoGitState, WorkspaceSnapshot } from './workspace-snapshot.ts';
import type { AnyJson } from './any-json.ts';

/** Where the dependencies of a repository come from, in Graft's four kinds. */
interface DependencyCounts {
  readonly git: number;
  /** From a registry, of any ecosystem. */
  readonly hex: number;
  readonly path: number;
  readonly unknown: number;
}

/** A repository in {@link WorkspaceStatus}. */
interface RepoStatus {
  readonly deps: DependencyCounts;
  readonly exists: boolean;
  readonly git: {
    readonly ahead: number;
    readonly behind: number;
    readonly branch: string | null;
    readonly detached_head: boolean;
    readonly dirty: boolean;
    readonly error: string | null;
    readonly head_sha: string | null;
    readonly in_progress: GitInProgress;
    readonly is_git_repo: boolean;
    readonly upstream: string | null;
  };
  readonly has_mix_exs: boolean;
  readonly name: string;
  readonly status: 'ok' | 'missing';
}

/** The state of a workspace: the JSON of `mix graft.status --json`, with its keys in its order. */
export interface WorkspaceStatus {
  readonly generated_at: string;
  readonly repo_count: number;
  readonly repos: readonly RepoStatus[];
  readonly root: string;
  readonly validation: AnyJson;
}

const COUNTED_AS: Readonly<Record<DependencySource, keyof DependencyCounts>> = {
  hex: 'hex',
  registry: 'hex',
  git: 'git',
  path: 'path',
  workspace: 'path',
  url: 'unknown',
  unknown: 'unknown',
};

/** The state of a workspace, from its snapshot. */
export function workspaceStatus({
  generated_at,
  repos,
  root,
  deps,
  git,
  validate_result,
}: WorkspaceSnapshot): WorkspaceStatus {
  const states = new Map(git.map((state) => [state.repo, state]));
  return {
    generated_at,
    repo_count: repos.length,
    repos: repos.map((repo) => {
      const counts = { git: 0, hex: 0, path: 0, unknown: 0 };
      for (const { repo: name, source } of deps) if (name === repo.name) counts[COUNTED_AS[source]]++;
      return {
        deps: counts,
        exists: repo['exists?'],
        git: gitStatus(states.get(repo.name)),
        has_mix_exs: repo['has_mix_exs?'],
        name: repo.name,
        status: repo['exists?'] ? 'ok' : 'missing',
      };
    }),
    root,
    validation: validate_result,
  };
}

function gitStatus(state: RepoGitState | undefined): RepoStatus['git'] {
  return {
    ahead: state?.ahead ?? 0,
    behind: state?.behind ?? 0,
    branch: state?.branch ?? null,
    detached_head: state?.['detached_head?'] ?? false,
    dirty: state?.['dirty?'] ?? false,
    error: state === undefined ? 'not_a_repo' : state.error,
    head_sha: state?.head_sha ?? null,
    in_progress: state?.in_progress ?? 'none',
    is_git_repo: state?.['is_git_repo?'] ?? false,
    upstream: state?.upstream ?? null,
  };
}
