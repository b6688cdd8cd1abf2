import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { contentsFolder, noteContent } from './cache-limit.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** Files with contents that are too large for a line, named by blob oid, so that a repeated run finds them. */
export interface ContentSpool {
  /** Keeps content for at least a day and returns the absolute path of its file. */
  keep(oid: string, content: Uint8Array): Promise<string>;
}

/** The content spool in a cache folder. */
export function createContentSpool(cacheDir: string): ContentSpool {
  return {
    async keep(oid, content) {
      const path = join(contentsFolder(cacheDir), oid.slice(0, 2), oid);
      if (await isTouched(path)) return path;
      await writeWhole(path, content, { durable: false });
      noteContent(cacheDir, content.length);
      return path;
    },
  };
}

async function isTouched(path: string): Promise<boolean> {
  try {
    await utimes(path, new Date(), new Date());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
