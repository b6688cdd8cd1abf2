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

/** What is in the folders of a work tree. */
interface NestedRepositories {
  readonly repositories: readonly NestedRepository[];
  /** Folders that may not be read, relative to the one around them. */
  readonly unreadable: readonly string[];
}

/**
 * The outermost repositories in the work tree of the one in this folder, also in folders that git ignores; links are not
 * followed. `index` is what `git ls-files --stage` says of it: a bare repository whose HEAD is tracked is a folder with
 * files as any other, such as one for tests.
 */
export async function nestedRepositories(
  folder: string,
  index: readonly string[],
  signal?: AbortSignal,
): Promise<NestedRepositories> {
  const heads = new Set(index.flatMap((entry) => /^[^\t]*\t(.*\/HEAD)$/s.exec(entry)?.[1] ?? []));
  const repositories: NestedRepository[] = [];
  const unreadable: string[] = [];
  const left = [''];
  for (const path of left) {
    signal?.throwIfAborted();
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch((error: unknown) => {
      // it was removed meanwhile
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
      if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
      unreadable.push(path);
      return [];
    });
    const names = new Set(entries.map(({ name }) => name));
    const isBare = ['HEAD', 'objects', 'refs'].every((name) => names.has(name)) && !heads.has(`${path}/HEAD`);
    if (path !== '' && (isBare || names.has('.git'))) {
      repositories.push({ path, isBare: isBare && !names.has('.git') });
      continue;
    }
    for (const entry of entries) if (entry.isDirectory() && entry.name !== '.git') left.push(join(path, entry.name));
  }
  return { repositories, unreadable };
}
