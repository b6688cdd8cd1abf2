import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './error-code.ts';
import { type ProcessIdentity, type Signature, signature, standingOf } from './process-identity.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';
import { temporaryPath } from './temporary.ts';

/** A lock file that this process holds until it calls `release` or dies. */
export interface FileLock {
  /** Releases the lock; a second call does nothing. */
  release(): Promise<void>;
}

/** How to wait for a lock. */
export interface LockOptions {
  /** Ends the wait; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called after every attempt that found the lock held; throw to end the wait. `waitedMs` is 0 after the first
   * attempt.
   */
  readonly onHeld?: (holder: Holder, waitedMs: number) => void;
}

/** The holder of a lock. */
export interface Holder {
  /** Null when the lock file does not say. */
  readonly process: ProcessIdentity | null;
  /** False for a process of another machine or PID namespace: only its lock file's times show whether it is alive. */
  readonly isVisible: boolean;
}

/** The content of a lock file. */
type Entry = Signature & { readonly token: string };

/** Interval at which the holder touches its file. */
const TOUCH_MS = 5_000;
/** A holder that this process cannot see counts as dead when its file stayed unchanged for so long while we watched. */
const STALE_MS = 60_000;
const POLL_MS = 50;

/** The waiters of this process. Only the first of them polls the file. */
const queues = new Map<string, { readonly turn: Semaphore; waiters: number }>();

/**
 * Runs `work` while this call holds the lock file exclusively, also against other calls in this process, which get the
 * lock in order of arrival. The lock of a dead holder is taken over: immediately when the holder is in our PID
 * namespace, else after a minute in which its file did not change. Clocks of different machines are never compared.
 */
export async function withLock<Result>(
  path: string,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const queue = queues.get(path) ?? { turn: createSemaphore(1), waiters: 0 };
  queues.set(path, queue);
  queue.waiters++;
  try {
    const endTurn = await queue.turn.acquire(signal);
    try {
      const lock = await waitForLock(path, { signal });
      try {
        return await work();
      } finally {
        await lock.release();
      }
    } finally {
      endTurn();
    }
  } finally {
    if (--queue.waiters === 0) queues.delete(path);
  }
}

/** Takes the lock file as soon as its holder releases it or is dead (see {@link withLock}). Creates its folder. */
export async function waitForLock(path: string, { signal, onHeld }: LockOptions = {}): Promise<FileLock> {
  const started = performance.now();
  const watch = createWatch(path);
  for (let isFirst = true; ; isFirst = false) {
    signal?.throwIfAborted();
    const result = await attempt(path, watch);
    if ('lock' in result) return result.lock;
    onHeld?.(result.holder, isFirst ? 0 : performance.now() - started);
    await delay(POLL_MS, undefined, signal ? { signal } : {});
  }
}

/** Takes the lock file, or returns its holder. The lock of a process known to be dead counts as free. */
export function tryLock(path: string): Promise<{ readonly lock: FileLock } | { readonly holder: Holder }> {
  return attempt(path, createWatch(path));
}

/**
 * Who holds the lock file, judged as by {@link tryLock}: null when it is free, or its holder is known to be dead. Changes
 * nothing.
 */
export async function findHolder(path: string): Promise<Holder | null> {
  const seen = await createWatch(path).look();
  return seen === null || seen.isDead ? null : { process: seen.entry, isVisible: seen.isVisible };
}

/** The visible running process that holds the lock file; null when there is none. */
export function lockHolder(path: string): ProcessIdentity | null {
  try {
    const entry = JSON.parse(readFileSync(path, 'utf8')) as Entry;
    return standingOf(entry, Number.POSITIVE_INFINITY) === 'running' ? entry : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Marks a file or folder as used by this process, until the returned function is called. Any number of processes may
 * use it; a process that would disturb them checks {@link isShared} first.
 */
export async function share(path: string): Promise<() => Promise<void>> {
  const entry = newEntry();
  const mine = `${path}.use-${entry.token}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(mine, JSON.stringify(entry));
  const stop = keepFresh(mine);
  return async () => {
    stop();
    await succeeds(unlink(mine), 'ENOENT');
  };
}

/** Uses by other machines seen earlier, so that a later check can find whether they are still touched. */
const watchedUses = new Map<string, Watch>();

/**
 * True while a process uses the path (see {@link share}). Removes marks of dead processes. A mark of another machine or
 * PID namespace counts until this process found it unchanged in two checks, a minute or more apart.
 */
export async function isShared(path: string): Promise<boolean> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.use-`;
  const uses = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix));
  const known = new Set(uses.map((name) => join(folder, name)));
  for (const use of watchedUses.keys()) {
    if (use.startsWith(join(folder, prefix)) && !known.has(use)) watchedUses.delete(use);
  }
  const inUse = await Promise.all(
    [...known].map(async (use) => {
      const watch = watchedUses.get(use) ?? createWatch(use);
      watchedUses.set(use, watch);
      const seen = await watch.look();
      if (seen !== null && !seen.isDead) return true;
      watchedUses.delete(use);
      await succeeds(unlink(use), 'ENOENT');
      return false;
    }),
  );
  return inUse.includes(true);
}

function newEntry(): Entry {
  return { ...signature(), token: randomUUID() };
}

/** Touches a file regularly, so that processes that cannot see this one know that it is alive. Returns how to stop. */
function keepFresh(path: string): () => void {
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function attempt(path: string, watch: Watch): Promise<{ readonly lock: FileLock } | { readonly holder: Holder }> {
  const entry = newEntry();
  const mine = temporaryPath(path);
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    const seen = await watch.look();
    if (seen !== null && !seen.isDead) return { holder: { process: seen.entry, isVisible: seen.isVisible } };
    if (seen !== null) await takeAway(path, seen);
    // written only now: the file's time is when the lock was taken, not when the wait began
    await writeFile(mine, JSON.stringify(entry));
    try {
      if (await succeeds(link(mine, path), 'EEXIST')) break;
    } finally {
      await unlink(mine);
    }
  }
  const stop = keepFresh(path);
  return {
    lock: {
      release: async () => {
        stop();
        if ((await entryOf(path))?.token === entry.token) await succeeds(unlink(path), 'ENOENT');
      },
    },
  };
}

/** Moves a dead holder's file aside. If another process took the lock in the meantime, its file is put back. */
async function takeAway(path: string, dead: Seen): Promise<void> {
  if ((await entryOf(path))?.token !== dead.entry?.token) return;
  const aside = temporaryPath(path);
  if (!(await succeeds(rename(path, aside), 'ENOENT'))) return;
  if ((await entryOf(aside))?.token !== dead.entry?.token) await succeeds(link(aside, path), 'EEXIST');
  await unlink(aside);
}

/** The state of a lock file at one check. */
interface Seen {
  /** Null when the content is not a valid entry. */
  readonly entry: Entry | null;
  readonly isVisible: boolean;
  readonly isDead: boolean;
}

interface Watch {
  /** Null when there is no file. */
  look(): Promise<Seen | null>;
}

/** Checks a file repeatedly and measures with the monotonic clock for how long it has not changed. */
function createWatch(path: string): Watch {
  let last = '';
  let since = 0;
  return {
    async look() {
      const file = await open(path).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      });
      if (file === null) return null;
      try {
        // after `open`, so that a network file system asks its server
        const { mtimeMs, ino } = await file.stat();
        const text = await file.readFile('utf8');
        const state = `${ino} ${mtimeMs} ${text}`;
        if (state !== last) [last, since] = [state, performance.now()];
        const entry = parsed(text);
        const standing = entry === null ? 'unknown' : standingOf(entry, mtimeMs);
        const isDead = standing === 'ended' || (standing === 'unknown' && performance.now() - since > STALE_MS);
        return { entry, isVisible: standing !== 'unknown', isDead };
      } finally {
        await file.close();
      }
    },
  };
}

async function entryOf(path: string): Promise<Entry | null> {
  return parsed(await readFile(path, 'utf8').catch(() => ''));
}

function parsed(text: string): Entry | null {
  try {
    const entry = JSON.parse(text) as Partial<Entry> | null;
    return typeof entry?.pid === 'number' && typeof entry.start === 'string' ? (entry as Entry) : null;
  } catch {
    return null;
  }
}

async function succeeds(work: Promise<unknown>, unless: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (hasCode(error, unless)) return false;
    throw error;
  }
}
