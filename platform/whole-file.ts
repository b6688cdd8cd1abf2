import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { removeTemporaries, temporaryPath } from './temporary.ts';

/** How a whole file is written. */
export interface WholeFileOptions {
  /**
   * Whether the file survives a power cut once the write has returned. False is for caches, which are checked when they are
   * read: the file is whole even when the process is killed, and no time is spent on waiting for the disk.
   * @default true
   */
  readonly durable?: boolean;
}

/**
 * Replaces a file so that a reader sees the old or the new content, never a part, also when the process is killed in the
 * middle. Makes its folder, and removes what killed processes left there. After a failure nothing is left of the attempt.
 */
export async function writeWhole(
  file: string,
  content: string | Uint8Array | readonly Uint8Array[],
  { durable = true }: WholeFileOptions = {},
): Promise<void> {
  const folder = dirname(file);
  await makeFolder(folder, durable);
  await removeTemporaries(folder);
  const writing = temporaryPath(file);
  try {
    const handle = await open(writing, 'wx');
    try {
      const parts = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
      for (const part of parts) await handle.writeFile(part);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(writing, file);
  } catch (error) {
    // on a full disk it would take the last of the space
    await rm(writing, { force: true });
    throw error;
  }
  if (durable) await syncFolder(folder);
}

/** Writes the names in a folder to the disk: without it a file that was renamed may be gone after a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function makeFolder(path: string, durable: boolean): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made !== undefined && durable) await syncFolder(dirname(made));
}
