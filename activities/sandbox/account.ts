import { lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../../platform/program.ts';

/** `nobody`, and its group, on every Linux. */
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** The user that runs programs of others; null for the user of this process. No limit on processes binds root. */
export function accountOfPrograms(): Account | null {
  return process.getuid?.() === 0 ? NOBODY : null;
}

/** Gives a folder and everything in it to a user. Links are given, not followed. */
export async function giveTo({ uid, gid }: Account, path: string): Promise<void> {
  await lchown(path, uid, gid);
  if (!(await lstat(path)).isDirectory()) return;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    await (entry.isDirectory() ? giveTo({ uid, gid }, inside) : lchown(inside, uid, gid));
  }
}
