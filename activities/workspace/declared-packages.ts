import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { compareTexts, inKeyOrder } from '../../domain/workspace/canonical-snapshot.ts';
import type { PackageManifest } from '../../domain/workspace/package-manifest.ts';
import type {
  RepoPackage,
  WorkspaceDependency,
  WorkspaceLink,
  WorkspaceRepo,
} from '../../domain/workspace/workspace-snapshot.ts';
import { hasCode } from '../../platform/error-code.ts';
import { sha256 } from '../../platform/sha256.ts';

/** A package of the repository in a folder, with the digest of its manifest; null when the manifest has just gone. */
export async function packageOf(folder: string, one: PackageManifest): Promise<RepoPackage | null> {
  const { ecosystem, file, name, version } = one;
  try {
    return { ecosystem, manifest: file, name, version, sha256: sha256(await readFile(join(folder, file))) };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** What the manifests of a repository ask for directly. */
export function dependenciesOf(repo: WorkspaceRepo, packages: readonly PackageManifest[]): WorkspaceDependency[] {
  return packages.flatMap(({ ecosystem, file, path: folder, dependencies }) =>
    dependencies
      .filter(({ isDirect }) => isDirect)
      .map(({ name, raw, source, kind, requirement, location }) => {
        const path = source === 'path' && location !== null ? inside(posix.join(repo.path, folder, location)) : null;
        return { repo: repo.name, app: name, raw, source, ecosystem, kind, manifest: file, requirement, path };
      }),
  );
}

/** A path relative to the root; null when it leads out of it. */
function inside(path: string): string | null {
  const plain = path.replace(/\/+$/, '');
  return plain === '..' || plain.startsWith('../') || plain.startsWith('/') ? null : plain;
}

/** The links that repositories declare: a dependency that is taken from the folder of another repository. */
export function linksOf(repos: readonly WorkspaceRepo[], deps: readonly WorkspaceDependency[]): WorkspaceLink[] {
  const byFolder = inKeyOrder(repos, ({ path }) => [path]);
  const links = new Map<string, WorkspaceLink>();
  for (const { repo, path } of deps) {
    if (path === null) continue;
    const owner = byFolder.find((other) => path === other.path || path.startsWith(`${other.path}/`));
    if (owner === undefined || owner.name === repo) continue;
    links.set(`${repo}/${owner.name}`, {
      repo,
      dep: owner.name,
      type: 'path',
      files: [],
      mix_exs_sha256_before: null,
      mix_exs_sha256_after: null,
      preimage: null,
      replacement: null,
    });
  }
  return [...links.values()].sort((a, b) => compareTexts(a.repo, b.repo) || compareTexts(a.dep, b.dep));
}
