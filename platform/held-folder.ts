import { constants } from 'node:fs';
import { lstat, open, type FileHandle, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './error-code.ts';

/** A folder that is held open. */
export interface HeldFolder {
  /** Its path when it was opened. */
  readonly path: string;
  /**
   * The path of a name in it, or without a name its own. On Linux it stays a path into this very folder, also when another
   * program replaces the folder or one above it by a link. For this process only.
   */
  at(name?: string): string;
  /** The same for programs that this process starts and that end before the folder is given up. */
  forPrograms(name: string): string;
  /** Where it is now, without links; null when it was removed. Elsewhere than on Linux where its path leads now. */
  whereNow(): Promise<string | null>;
  /** What it is, as long as it exists, also after it was renamed. */
  identity(): Promise<FolderIdentity>;
  /** Flushes it to disk: otherwise a renamed entry may be missing after a power failure. */
  sync(): Promise<void>;
  /** Gives it up. */
  close(): Promise<void>;
}

/** What tells a folder from another one that was made later in its place. */
export interface FolderIdentity {
  readonly inode: string;
  /** When it was made, in nanoseconds; null where the file system does not say. An inode is used again, with another time. */
  readonly born: string | null;
}

/** True unless the two are known to be different folders. */
export function isSameFolder(one: FolderIdentity, other: FolderIdentity): boolean {
  return one.inode === other.inode && (one.born === null || other.born === null || one.born === other.born);
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Holds the folder at `path` below `root`: the names of folders, joined by slashes, or '' for the root itself. No component
 * of it may be a link; of a root that is a path, only the last one is looked at. Rejects with `ENOENT` when there is no such
 * folder, and with `ENOTDIR` or `ELOOP` when something in its place is none. Close it.
 */
export async function holdFolder(root: string | HeldFolder, path: string): Promise<HeldFolder> {
  let place = typeof root === 'string' ? root : root.path;
  let held = await open(typeof root === 'string' ? root : root.at('.'), FOLDER);
  for (const name of path === '' ? [] : path.split('/')) {
    const outer = held;
    try {
      if (name === '' || name === '.' || name === '..') throw new Error(`${path} is no path below ${place}`);
      place = join(place, name);
      held = await open(inside(outer, place, name), FOLDER);
    } finally {
      await outer.close();
    }
  }
  return heldFolder(held, place);
}

function heldFolder(held: FileHandle, place: string): HeldFolder {
  return {
    path: place,
    at: (name = '.') => inside(held, join(place, name), checked(name)),
    forPrograms: (name) => inside(held, join(place, name), checked(name), process.pid),
    async whereNow() {
      if (process.platform !== 'linux') return realpath(place).catch(absent);
      const now = await readlink(`/proc/self/fd/${held.fd}`);
      // the system says this of a folder that was removed
      return now.endsWith(' (deleted)') && (await lstat(now).catch(absent)) === null ? null : now;
    },
    async identity() {
      const { ino, birthtimeNs, ctimeNs } = await held.stat({ bigint: true });
      // where the system does not know it, it is nothing, or the time of the last change
      const isKnown = birthtimeNs > 0n && birthtimeNs !== ctimeNs;
      return { inode: String(ino), born: isKnown ? String(birthtimeNs) : null };
    },
    sync: () => held.sync(),
    close: () => held.close(),
  };
}

function checked(name: string): string {
  if (name === '' || name === '..' || name.includes('/')) throw new Error(`${name} is no name`);
  return name;
}

/** Elsewhere than on Linux, Node has no way to name an entry of an open folder: only the check before is left. */
function inside({ fd }: FileHandle, path: string, name: string, pid: number | 'self' = 'self'): string {
  return process.platform === 'linux' ? `/proc/${pid}/fd/${fd}/${name}` : path;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}

/** Identifies a file or folder, also under another name; null when there is nothing. A link is not followed. */
export async function inodeOf(path: string): Promise<string | null> {
  const info = await lstat(path, { bigint: true }).catch(absent);
  return info === null ? null : `${info.dev}:${info.ino}`;
}
