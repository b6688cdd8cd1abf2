import { versionFits } from './version-fits.ts';
import type { WorkspaceManifest } from './workspace-manifest.ts';
import type { SnapshotContent, WorkspaceDiagnostic } from './workspace-snapshot.ts';

/**
 * Remarks on a workspace: repositories that are missing (`repo_missing`), no repositories (`not_a_repository`), cannot be
 * read by git (`git_unreadable`) or were cloned from elsewhere (`origin_differs`), packages whose version another
 * repository does not accept (`version_does_not_fit`), and cycles (`cycle`).
 */
export function diagnose(
  { repos, git, deps, topology }: SnapshotContent,
  { repositories }: WorkspaceManifest,
): WorkspaceDiagnostic[] {
  const found: WorkspaceDiagnostic[] = [];
  const add = (severity: WorkspaceDiagnostic['severity'], repo: string | null, kind: string, message: string): void =>
    void found.push({ severity, repo, kind, message, file: null, line: null });
  const desired = new Map(repositories.map((one) => [one.name, one]));
  const states = new Map(git.map((state) => [state.repo, state]));
  for (const { name, path, origin, 'exists?': isThere } of repos) {
    const wanted = desired.get(name)?.origin ?? null;
    const error = states.get(name)?.error ?? null;
    if (!isThere) {
      const how = wanted === null ? 'no origin says where to clone it from' : `it can be cloned from ${wanted}`;
      add('warning', name, 'repo_missing', `There is no folder ${path}: ${how}.`);
    } else if (error === 'not_a_repo') {
      add('warning', name, 'not_a_repository', `${path} is no git repository with files.`);
    } else if (error !== null) {
      add('error', name, 'git_unreadable', `Git cannot read ${path}: ${error}`);
    } else if (wanted !== null && origin !== null && plainOrigin(wanted) !== plainOrigin(origin)) {
      add('warning', name, 'origin_differs', `${path} was cloned from ${origin}, and the manifest says ${wanted}.`);
    }
  }
  const packages = new Map(
    repos.flatMap((repo) => repo.packages.map((one) => [`${one.ecosystem} ${one.name}`, { repo, one }] as const)),
  );
  for (const { repo, app, ecosystem, requirement, manifest } of deps) {
    const provided = packages.get(`${ecosystem} ${app}`);
    const version = provided?.one.version ?? null;
    if (provided === undefined || version === null || requirement === null || provided.repo.name === repo) continue;
    if (versionFits(ecosystem, requirement, version) !== false) continue;
    const message = `${manifest} needs ${app} ${requirement}, and ${provided.repo.name} has ${version}.`;
    found.push({ severity: 'info', repo, kind: 'version_does_not_fit', message, file: manifest, line: null });
  }
  for (const cycle of topology.cycles) {
    add('warning', null, 'cycle', `These repositories need each other: ${cycle.join(', ')}.`);
  }
  return found;
}

/** An address without what makes no difference. */
function plainOrigin(origin: string): string {
  return origin.replace(/\/+$/, '').replace(/\.git$/, '');
}
