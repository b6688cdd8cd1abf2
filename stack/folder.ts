import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode, messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/**
 * Creates a folder, and missing parents, for its owner only. Throws {@link StackError}. It does not use the recursion
 * of `mkdir`, which never ends on a file system that reports an existing folder as missing (/proc).
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    throw new StackError(`The folder ${path} cannot be created (${messageOf(error)}): choose another one.`, {
      cause: error,
    });
  }
}
