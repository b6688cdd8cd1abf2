import { constants } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that is held open. */
export interface HeldFolder {
  /**
   * The path of a name in it. On Linux it stays a path into this very folder, also when another program replaces the
   * folder or one above it by a link.
   */
  at(name: string): string;
  /** Flushes it to disk: otherwise a renamed entry may be missing after a power failure. */
  sync(): Promise<void>;
  /** Gives it up. */
  close(): Promise<void>;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Holds the folder at `path` below `root`: the names of folders, joined by slashes, or '' for the root itself. No component
 * of it may be a link. Rejects with `ENOENT` when there is no such folder, and with `ENOTDIR` or `ELOOP` when something
 * in its place is none. Close it.
 */
export async function holdFolder(root: string, path: string): Promise<HeldFolder> {
  let held = await open(root, FOLDER);
  let place = root;
  for (const name of path === '' ? [] : path.split('/')) {
    const outer = held;
    try {
      if (name === '' || name === '.' || name === '..') throw new Error(`${path} is no path below ${root}`);
      place = join(place, name);
      held = await open(inside(outer, place, name), FOLDER);
    } finally {
      await outer.close();
    }
  }
  return {
    at(name) {
      if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new Error(`${name} is no name`);
      return inside(held, join(place, name), name);
    },
    sync: () => held.sync(),
    close: () => held.close(),
  };
}

/** Elsewhere than on Linux, Node has no way to name an entry of an open folder: only the check before is left. */
function inside({ fd }: FileHandle, path: string, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}/${name}` : path;
}

/** Identifies a file or folder, also under another name; null when there is nothing. A link is not followed. */
export async function inodeOf(path: string): Promise<string | null> {
  const info = await lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  return info === null ? null : `${info.dev}:${info.ino}`;
}
