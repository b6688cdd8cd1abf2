import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../platform/error-code.ts';

/** A repository inside another one. */
export interface NestedRepository {
  /** Its folder, relative to the one around it. */
  readonly path: string;
  /** True for one without files, whose folder is what is else called `.git`. */
  readonly isBare: boolean;
}

/**
 * The outermost repositories in the work tree of the one in this folder, also in folders that git ignores; links are not
 * followed.
 */
export async function nestedRepositories(folder: string, signal?: AbortSignal): Promise<readonly NestedRepository[]> {
  const found: NestedRepository[] = [];
  const left = [''];
  for (const path of left) {
    signal?.throwIfAborted();
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch((error: unknown) => {
      // it was removed meanwhile
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
      throw error;
    });
    const names = new Set(entries.map(({ name }) => name));
    const isBare = ['HEAD', 'objects', 'refs'].every((name) => names.has(name));
    if (path !== '' && (isBare || names.has('.git'))) {
      found.push({ path, isBare: isBare && !names.has('.git') });
      continue;
    }
    for (const entry of entries) if (entry.isDirectory() && entry.name !== '.git') left.push(join(path, entry.name));
  }
  return found;
}
