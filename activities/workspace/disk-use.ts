import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../platform/error-code.ts';
import { createSemaphore } from '../../platform/semaphore.ts';

/** The space that a folder takes on its disk, in bytes, as the file system allocates it. */
export interface DiskUse {
  /** What would be free without the folder. */
  readonly bytes: number;
  /** What it has in common with other folders by hard links, such as the packs of a clone with the cache. */
  readonly shared: number;
}

/** Folders that are read in parallel: the system has few threads for this. */
const PARALLEL_READS = 16;

/**
 * The space of everything in a folder, the folder itself included; a file with several names in it counts once. What is
 * removed meanwhile, and what may not be read, does not count. Links are not followed.
 */
export async function diskUse(folder: string, signal?: AbortSignal): Promise<DiskUse> {
  const semaphore = createSemaphore(PARALLEL_READS);
  /** Files with several names: how many of them were found, of how many, and their space. */
  const named = new Map<string, { found: number; readonly names: number; readonly bytes: number }>();
  let own = 0;
  const look = async (path: string): Promise<void> => {
    signal?.throwIfAborted();
    const info = await lstat(path, { bigint: true }).catch(unreadable);
    if (info === null) return;
    const bytes = Number(info.blocks) * 512;
    if (info.isDirectory() || info.nlink === 1n) own += bytes;
    else {
      const key = `${info.dev}:${info.ino}`;
      const known = named.get(key);
      if (known === undefined) named.set(key, { found: 1, names: Number(info.nlink), bytes });
      else known.found++;
    }
    if (!info.isDirectory()) return;
    const release = await semaphore.acquire(signal);
    const names = await readdir(path).catch(unreadable).finally(release);
    await Promise.all((names ?? []).map((name) => look(join(path, name))));
  };
  await look(folder);
  let shared = 0;
  for (const { found, names, bytes } of named.values()) {
    if (found === names) own += bytes;
    else shared += bytes;
  }
  return { bytes: own, shared };
}

function unreadable(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return null;
  throw error;
}
