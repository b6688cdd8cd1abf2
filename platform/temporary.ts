import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sha256 } from './sha256.ts';

/** A temporary file or folder belongs to the process whose pid is in its name. */
const NAME = /\.tmp-([0-9a-f]{8})-(\d+)-[0-9a-f-]{36}$/;
const HOST = sha256(hostname()).slice(0, 8);
/** The process of another host cannot be checked: after a day its files count as abandoned. */
const STALE_MS = 86_400_000;
/** In a container a restarted worker often gets the same pid: files older than this process are not its own. */
const STARTED_MS = Date.now() - process.uptime() * 1_000;

/** A temporary name in the folder of `path`. {@link removeTemporaries} removes it if this process is killed. */
export function temporaryPath(path: string): string {
  return `${path}.tmp-${HOST}-${process.pid}-${randomUUID()}`;
}

/** Removes the {@link temporaryPath}s of ended processes from a folder. */
export async function removeTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const [, host, pid] = NAME.exec(name) ?? [];
      if (pid === undefined) return;
      const isOurs = host === HOST && Number(pid) === process.pid;
      if (host === HOST && !isOurs && isAlive(Number(pid))) return;
      const path = join(folder, name);
      const made = await stat(path).catch(() => null);
      if (made === null) return;
      if (isOurs && made.ctimeMs >= STARTED_MS) return;
      if (host !== HOST && Date.now() - made.mtimeMs < STALE_MS) return;
      await rm(path, { recursive: true, force: true });
    }),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
