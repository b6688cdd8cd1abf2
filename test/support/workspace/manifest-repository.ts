import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createGit, type Git } from '../../../activities/git/git.ts';
import { readPackageManifests } from '../../../activities/workspace/manifests/read-package-manifests.ts';
import type { Dependency, RepositoryManifests } from '../../../domain/workspace/package-manifest.ts';
import { git, initRepository, scratchFolder } from '../scratch-git.ts';

/** The house's git, for the duration of a test. */
export function scratchRunner(): Git {
  const cache = mkdtempSync(join(tmpdir(), 'longhaul-manifests-'));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }), 60_000);
  return createGit(cache, process.env);
}

/** A repository that tracks these files, given by path. */
export function repositoryWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = initRepository(join(scratchFolder(), 'repository'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  git(folder, 'add', '--all', '--force');
  return folder;
}

/** What is read from a repository that tracks these files. */
export async function manifestsOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<RepositoryManifests> {
  return readPackageManifests(repositoryWith(files), { git: scratchRunner() });
}

/** A dependency on one line: `kind name requirement source location`, with `-` for what there is none of. */
export function shown({ kind, name, alias, requirement, source, location, isDirect }: Dependency): string {
  const named = alias === null ? name : `${name} as ${alias}`;
  return [kind, named, requirement ?? '-', source, location ?? '-', ...(isDirect ? [] : ['indirect'])].join(' | ');
}
