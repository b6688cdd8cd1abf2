import { topologyOf } from './topology.ts';
import { linkKey, linksByKey } from './workspace-delta.ts';
import type { WorkspaceManifest } from './workspace-manifest.ts';
import type { RepoGitState, SnapshotContent, WorkspaceRepo } from './workspace-snapshot.ts';

/**
 * The state that a manifest asks for, in a workspace that is in this state: its repositories are there, with its
 * branches and links. What it does not mention stays as it is: branches, and links that the repositories declare
 * themselves. Packages and dependencies of a repository that is not there yet are unknown.
 */
export function desiredSnapshot(current: SnapshotContent, { repositories, links }: WorkspaceManifest): SnapshotContent {
  const reposThere = new Map(current.repos.map((repo) => [repo.name, repo]));
  const states = new Map(current.git.map((state) => [state.repo, state]));
  const names = new Set(repositories.map(({ name }) => name));
  const repos = repositories.map(({ name, path, origin, role, setup }): WorkspaceRepo => {
    const repo = reposThere.get(name);
    return {
      name,
      path,
      absolute_path: workspacePath(current.root, path),
      'exists?': true,
      'has_mix_exs?': repo?.['has_mix_exs?'] ?? false,
      origin,
      role,
      setup,
      packages: repo?.packages ?? [],
    };
  });
  const wanted = (links ?? []).map(({ from, to, type }) => ({
    repo: from,
    dep: to,
    type,
    files: [],
    mix_exs_sha256_before: null,
    mix_exs_sha256_after: null,
    preimage: null,
    replacement: null,
  }));
  const isWanted = new Set(wanted.map(linkKey));
  const kept = current.links.filter(
    (link) =>
      names.has(link.repo) &&
      names.has(link.dep) &&
      (link.files.length === 0 || links === null || isWanted.has(linkKey(link))),
  );
  const content = {
    ...current,
    repos,
    deps: current.deps.filter(({ repo }) => names.has(repo)),
    // one that is there is kept as it is
    links: [...linksByKey({ repos, links: [...wanted, ...kept] }).values()],
    git: repositories.map(({ name, path, origin, branch }): RepoGitState => {
      const known = states.get(name) ?? unknownState(name, workspacePath(current.root, path));
      const isRepository = origin !== null || branch !== null;
      const state = isRepository && !known['is_git_repo?'] ? { ...known, 'is_git_repo?': true, error: null } : known;
      if (branch === null || branch === state.branch) return state;
      return { ...state, branch, head_sha: null, 'detached_head?': false, upstream: null, ahead: 0, behind: 0 };
    }),
    diagnostics: [],
  };
  return { ...content, topology: topologyOf(content) };
}

/** The absolute path of a folder of a workspace. */
export function workspacePath(root: string, path: string): string {
  return path === '.' ? root : `${root.endsWith('/') ? root : `${root}/`}${path}`;
}

/** The state of git in a folder that is no repository, or that does not exist. */
export function unknownState(repo: string, repo_path: string, error = 'not_a_repo'): RepoGitState {
  return {
    repo,
    repo_path,
    'is_git_repo?': false,
    branch: null,
    'detached_head?': false,
    head_sha: null,
    upstream: null,
    ahead: 0,
    behind: 0,
    'dirty?': false,
    in_progress: 'none',
    error,
  };
}
