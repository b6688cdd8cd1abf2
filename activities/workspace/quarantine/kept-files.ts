import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, readdir, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { QuarantineEntry } from '../../../domain/workspace/quarantine.schema.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { holdFolder } from '../../../platform/held-folder.ts';
import { sha256, sha256OfFile } from '../../../platform/sha256.ts';
import { syncFolder } from '../../../platform/whole-file.ts';

/** A file or link that was copied. */
export type KeptFile = QuarantineEntry['files'][number];

/**
 * Copies what is at these paths below `from` to the same paths below `to`, with modes and links as they are, onto the disk.
 * A folder stands for everything in it; a path where nothing is left is passed over. Returns what was copied. Throws
 * `PlanPreconditionFailed` for what is neither a file, a link nor a folder, and for what may not be read.
 */
export async function copyPaths(
  from: string,
  to: string,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly KeptFile[]> {
  const copied: KeptFile[] = [];
  const folders = new Set<string>();
  const copy = async (path: string): Promise<void> => {
    signal?.throwIfAborted();
    const [source, target] = [join(from, path), join(to, path)];
    const info = await lstat(source).catch(absent).catch(unreadable(source));
    if (info === null) return;
    if (info.isDirectory()) {
      await mkdir(target, { recursive: true });
      folders.add(target);
      const names = (await readdir(source).catch(unreadable(source))).toSorted();
      // git needs some of the empty ones in a repository
      if (names.length === 0) copied.push({ path, kind: 'folder', bytes: 0, sha256: sha256('') });
      for (const name of names) await copy(`${path}/${name}`);
      return;
    }
    await mkdir(dirname(target), { recursive: true });
    folders.add(dirname(target));
    if (info.isSymbolicLink()) {
      const goal = await readlink(source);
      await symlink(goal, target);
      copied.push({ path, kind: 'link', bytes: Buffer.byteLength(goal), sha256: sha256(goal) });
    } else if (info.isFile()) {
      const mode = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
      await copyFile(source, target, mode).catch(unreadable(source));
      await syncFile(target);
      const { size: bytes } = await lstat(target);
      copied.push({ path, kind: 'file', bytes, sha256: await sha256OfFile(target) });
    } else {
      throw new LonghaulError(
        'PlanPreconditionFailed',
        `${source} is neither a file, a link nor a folder, and cannot be kept: remove it.`,
      );
    }
  };
  for (const path of [...new Set(paths)].toSorted()) await copy(path);
  for (const folder of folders) await syncFolder(folder);
  return copied;
}

/**
 * Puts kept files below `to`, where nothing may be in their place. No folder of a path is followed through a link. Throws
 * `DiskFailed` for a file whose content is not the one that was kept.
 */
export async function putBackFiles(from: string, to: string, files: readonly KeptFile[]): Promise<void> {
  for (const { path, kind, sha256: digest } of files) {
    const above = path.split('/').slice(0, -1);
    for (const [at, name] of above.entries()) {
      const around = await holdFolder(to, above.slice(0, at).join('/'));
      try {
        await mkdir(around.at(name)).catch((error: unknown) => {
          if (!hasCode(error, 'EEXIST')) throw error;
        });
      } finally {
        await around.close();
      }
    }
    const folder = await holdFolder(to, above.join('/'));
    try {
      const [source, target] = [join(from, path), folder.at(path.slice(path.lastIndexOf('/') + 1))];
      if (kind === 'link') {
        const goal = await readlink(source);
        if (sha256(goal) !== digest) throw damaged(source);
        await symlink(goal, target);
      } else if (kind === 'folder') {
        await mkdir(target);
      } else {
        await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        if ((await sha256OfFile(target)) !== digest) throw damaged(source);
      }
    } finally {
      await folder.close();
    }
  }
}

/** Flushes a file to disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The failure of a kept file with another content than it had. */
export function damaged(file: string): LonghaulError {
  return new LonghaulError('DiskFailed', `${file} is damaged: its content is not the one that was kept.`);
}

/** Says which path of a person may not be read. */
function unreadable(path: string): (error: unknown) => never {
  return (error) => {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
    throw new LonghaulError(
      'PlanPreconditionFailed',
      `${path} may not be read, and cannot be kept: change its mode, or remove it.`,
    );
  };
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
