import { LonghaulError } from '../shared/failures.ts';
import { workspacePath } from './desired-snapshot.ts';
import { isRepoPath } from './workspace-manifest.ts';
import type { SnapshotContent } from './workspace-snapshot.ts';

/**
 * A snapshot that was taken elsewhere, as a state of this workspace: its paths begin at the root of `here`. Throws
 * `InvalidInput` when a repository would not be below the root, or two have one name.
 */
export function placedAt(
  snapshot: SnapshotContent,
  here: Pick<SnapshotContent, 'root' | 'generated_at'>,
): SnapshotContent {
  const names = new Set<string>();
  for (const { name, path } of snapshot.repos) {
    const what = !isRepoPath(path)
      ? `the folder ${path}, which is not below the root`
      : names.has(name)
        ? 'a name that is taken'
        : null;
    if (what !== null) throw new LonghaulError('InvalidInput', `The repository ${name} of the snapshot has ${what}.`);
    names.add(name);
  }
  const places = new Map(snapshot.repos.map(({ name, path }) => [name, workspacePath(here.root, path)]));
  return {
    ...snapshot,
    root: here.root,
    generated_at: here.generated_at,
    repos: snapshot.repos.map((repo) => ({ ...repo, absolute_path: workspacePath(here.root, repo.path) })),
    git: snapshot.git.map((state) => ({ ...state, repo_path: places.get(state.repo) ?? state.repo_path })),
  };
}
