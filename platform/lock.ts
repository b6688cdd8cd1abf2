import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryPath } from './temporary.ts';

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started, as the system counts; tells a reused number apart. Empty where the system does not say. */
  readonly started: string;
  readonly token: string;
}

/** The holder touches its lock this often, ... */
const TOUCH_MS = 5_000;
/** ... and one that was not touched for so long has nobody behind it, whatever host it was. */
const STALE_MS = 60_000;
const POLL_MS = 50;

const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `work` while no other process, nor another call in this one, holds the lock file. A lock whose holder was killed is
 * taken over: at once when it was on this host, else after a minute.
 */
export async function withLock<Result>(
  path: string,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const before = queues.get(path);
  const turn = (async () => {
    await before?.catch(() => undefined);
    const release = await acquire(path, signal);
    try {
      return await work();
    } finally {
      await release();
    }
  })();
  queues.set(path, turn);
  try {
    return await turn;
  } finally {
    if (queues.get(path) === turn) queues.delete(path);
  }
}

/**
 * Says to every process that this one uses a file or folder, until it calls what is returned. Many may; it keeps nobody from
 * anything by itself: whoever would disturb asks {@link isShared}.
 */
export async function share(path: string): Promise<() => Promise<void>> {
  const me = await self();
  const mine = `${path}.use-${me.token}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(mine, JSON.stringify(me));
  const stop = keepFresh(mine);
  return async () => {
    stop();
    await succeeds(unlink(mine), 'ENOENT');
  };
}

/** True while a process that lives has said with {@link share} that it uses the path. Removes what dead ones have said. */
export async function isShared(path: string): Promise<boolean> {
  const uses = (await readdir(dirname(path)).catch(() => [])).filter((name) =>
    name.startsWith(`${basename(path)}.use-`),
  );
  const inUse = await Promise.all(
    uses.map(async (name) => {
      const use = join(dirname(path), name);
      if (!(await isStale(use))) return true;
      await succeeds(unlink(use), 'ENOENT');
      return false;
    }),
  );
  return inUse.includes(true);
}

async function self(): Promise<Holder> {
  return { host: hostname(), pid: process.pid, started: (await startOf(process.pid)) ?? '', token: randomUUID() };
}

/** Touches a file that says who holds something, until it is stopped. */
function keepFresh(path: string): () => void {
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function acquire(path: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  const me = await self();
  const mine = temporaryPath(path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(mine, JSON.stringify(me));
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (await succeeds(link(mine, path), 'EEXIST')) break;
      if (await isStale(path)) await takeAway(path);
      else await delay(POLL_MS, undefined, signal ? { signal } : {});
    }
  } finally {
    await unlink(mine);
  }
  const stop = keepFresh(path);
  return async () => {
    stop();
    if ((await holderOf(path))?.token === me.token) await succeeds(unlink(path), 'ENOENT');
  };
}

/** Moves a stale lock aside; when somebody was faster and the lock is a fresh one, it goes back. */
async function takeAway(path: string): Promise<void> {
  const aside = temporaryPath(path);
  if (!(await succeeds(rename(path, aside), 'ENOENT'))) return;
  if (!(await isStale(aside))) await succeeds(link(aside, path), 'EEXIST');
  await unlink(aside);
}

async function isStale(path: string): Promise<boolean> {
  const holder = await holderOf(path);
  const touched = await stat(path).catch(() => null);
  if (touched === null) return false;
  if (holder?.host === hostname()) return (await startOf(holder.pid)) !== holder.started;
  return Date.now() - touched.mtimeMs > STALE_MS;
}

async function holderOf(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

/** When a process started; null when there is no such process. */
async function startOf(pid: number): Promise<string | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (status === null) return '';
  // the name in parentheses may hold anything; the start time is the 20th field behind it
  return status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function succeeds(work: Promise<unknown>, unless: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === unless) return false;
    throw error;
  }
}
