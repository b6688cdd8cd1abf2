import { lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Account } from '../../platform/program.ts';

/** `nobody`, and its group, on every Linux. */
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** The user that runs programs of others; null for the user of this process. No limit on processes binds root. */
export function accountOfPrograms(): Account | null {
  return process.getuid?.() === 0 ? NOBODY : null;
}

/**
 * Gives a folder and everything in it to a user. Links are given, not followed. The entries of one folder are given at
 * once, without other work of this process in between: that takes a tenth of the time.
 */
export async function giveTo(account: Account, folder: string): Promise<void> {
  const { uid, gid } = account;
  lchownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await breathe();
      await giveTo(account, path);
    } else lchownSync(path, uid, gid);
  }
}
