import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode, messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/**
 * Makes a folder, and those above it that are missing, for its owner only. Throws {@link StackError}. Not `mkdir`'s own
 * recursion, which never ends where a file system says that a folder it has just been asked about does not exist (/proc).
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    throw new StackError(`The folder ${path} cannot be made (${messageOf(error)}): choose another one.`, {
      cause: error,
    });
  }
}
