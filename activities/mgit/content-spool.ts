import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './git.ts';

/** Files with contents that are too large for a line, each named after its blob: a repeated run finds them. */
export interface ContentSpool {
  /** Keeps a content and returns the absolute path of its file. */
  keep(oid: string, content: Uint8Array): Promise<string>;
}

/** A spool in this folder of the cache. */
export function createContentSpool(folder: string): ContentSpool {
  return {
    async keep(oid, content) {
      const path = join(folder, oid.slice(0, 2), oid);
      if (!existsSync(path)) await replaceFile(path, content);
      return path;
    },
  };
}
