import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './error-code.ts';

/**
 * Opens a file for reading that programs of others may have replaced, with its folders, by anything: links are not
 * followed, and pipes and devices are not waited for. Null when it is not there, or is no regular file. `path` has no
 * links of its own, and no such program runs any more.
 */
export async function openUntrusted(path: string): Promise<FileHandle | null> {
  let file;
  try {
    if ((await realpath(dirname(path))) !== dirname(path)) return null;
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR')) return null;
    throw error;
  }
  try {
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return null;
}
