import { readdir, realpath } from 'node:fs/promises';
import type {
  ManifestDiagnostic,
  PackageManifest,
  RepositoryManifests,
} from '../../../domain/workspace/package-manifest.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { cargoPackages } from './cargo.ts';
import { goPackages } from './go.ts';
import { MOST_MANIFESTS } from './limits.ts';
import { type DeclaredPackage, type ManifestFiles, openManifestFiles } from './manifest-files.ts';
import { mixPackages } from './mix.ts';
import { npmPackages } from './npm.ts';
import { pythonPackages } from './python.ts';
import { type TrackedFile, trackedFiles, type TrackedOptions } from './tracked-files.ts';

const READERS: readonly ((files: ManifestFiles) => Promise<DeclaredPackage[]>)[] = [
  cargoPackages,
  goPackages,
  mixPackages,
  npmPackages,
  pythonPackages,
];

const NAMES = new Set([
  'Cargo.toml',
  'go.mod',
  'go.work',
  'mix.exs',
  'package.json',
  'pnpm-workspace.yaml',
  'pyproject.toml',
]);

/**
 * The packages of the repository whose work tree is `folder`, with their dependencies, as its tracked manifests declare
 * them: the files of the work tree, also when they are changed, and nothing that git does not track. No program of the
 * repository is run. What cannot be read is a diagnostic, never a guess.
 *
 * Throws `InvalidInput` when there is no such folder, and `SourceUnreadable` when it cannot be read.
 */
export async function readPackageManifests(folder: string, options: TrackedOptions): Promise<RepositoryManifests> {
  let root;
  try {
    root = await realpath(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new LonghaulError('InvalidInput', `The folder ${folder} does not exist.`, { cause: error });
    }
    throw new LonghaulError('SourceUnreadable', `The folder ${folder} cannot be read.`, { cause: error });
  }
  const tracked = (await trackedFiles(root, (name) => NAMES.has(name), options)) ?? (await untracked(root));
  const diagnostics: ManifestDiagnostic[] = [];
  for (const { path, isText } of tracked) {
    if (isText) continue;
    const message = 'The path of this file is not valid UTF-8: it is not read.';
    diagnostics.push({ kind: 'not_text', file: path, line: null, message });
  }
  const readable = tracked.filter(({ isText }) => isText).map(({ path }) => path);
  const [first] = readable.splice(MOST_MANIFESTS);
  if (first !== undefined) {
    const message = `The repository has more than ${MOST_MANIFESTS} manifests: this and later ones are not read.`;
    diagnostics.push({ kind: 'too_large', file: first, line: null, message });
  }
  const files = openManifestFiles(root, new Set(readable), diagnostics, options.signal);
  const packages: PackageManifest[] = [];
  for (const read of READERS) {
    options.signal?.throwIfAborted();
    for (const declared of await read(files)) {
      // what was valid UTF-8 has the same bytes again
      packages.push({ ...declared, sha256: sha256((await files.read(declared.file)) ?? '') });
    }
  }
  return {
    packages: packages.sort((a, b) => compare(a.path, b.path) || compare(a.ecosystem, b.ecosystem)),
    diagnostics: diagnostics.sort((a, b) => compare(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0)),
  };
}

/** The manifests directly in a folder. */
async function untracked(folder: string): Promise<TrackedFile[]> {
  const names = await readdir(folder);
  return names.filter((name) => NAMES.has(name)).map((path) => ({ path, isText: true }));
}

/** By UTF-16 units, which depends on no locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
