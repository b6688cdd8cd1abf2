import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { removeTemporaries, temporaryPath } from './temporary.ts';

/** How to write a whole file. */
export interface WholeFileOptions {
  /**
   * Whether the file survives a power failure after the write has returned. Use false for caches whose files are
   * checked when they are read: a killed process still leaves no partial file, and the write does not wait for the
   * disk.
   * @default true
   */
  readonly durable?: boolean;
}

/**
 * Replaces a file atomically: a reader sees the old or the new content, never a part, even if the process is killed.
 * Creates its folder, and removes temporary files that killed processes left there. A failed write leaves no file
 * behind.
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
    // a partial file would take up space on a full disk
    await rm(writing, { force: true });
    throw error;
  }
  if (durable) await syncFolder(folder);
}

/** Flushes a folder to disk: otherwise a renamed file may be missing after a power failure. */
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
