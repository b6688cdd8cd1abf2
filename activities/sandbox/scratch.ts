import { chmod, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Account } from '../../platform/program.ts';
import { removeTemporaries } from '../../platform/temporary.ts';

/** Others may enter the folder, and must not write to it. */
const MODE = 0o711;

/**
 * Creates the folder for the files of running programs, and removes what killed processes left in it. Throws
 * `InvalidConfiguration` when it belongs to another user, or `account` cannot enter it.
 */
export async function openScratch(folder: string, account: Account | null): Promise<void> {
  // the mode of mkdir depends on the umask
  if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, MODE);
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw refused(folder, 'it must be a folder of the user of the worker, to which no other user can write');
  }
  if (account !== null) {
    for (let above = folder; ; above = dirname(above)) {
      if (((await lstat(above)).mode & 0o001) === 0) {
        throw refused(folder, `programs run as user ${account.uid}, who may not enter ${above}`);
      }
      if (above === dirname(above)) break;
    }
  }
  await removeTemporaries(folder);
}

function refused(folder: string, why: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', `pipelines.scratch: ${folder} cannot be used: ${why}.`);
}
