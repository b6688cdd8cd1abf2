import { workspacePath } from './desired-snapshot.ts';
import type { SnapshotContent } from './workspace-snapshot.ts';

/** A snapshot that was taken elsewhere, as a state of this workspace: its paths begin at the root of `here`. */
export function placedAt(
  snapshot: SnapshotContent,
  here: Pick<SnapshotContent, 'root' | 'generated_at'>,
): SnapshotContent {
  const places = new Map(snapshot.repos.map(({ name, path }) => [name, workspacePath(here.root, path)]));
  return {
    ...snapshot,
    root: here.root,
    generated_at: here.generated_at,
    repos: snapshot.repos.map((repo) => ({ ...repo, absolute_path: workspacePath(here.root, repo.path) })),
    git: snapshot.git.map((state) => ({ ...state, repo_path: places.get(state.repo) ?? state.repo_path })),
  };
}
