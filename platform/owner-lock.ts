import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning, self } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { hasCode } from './error-code.ts';

/** A lock that this process holds until it calls `release` or dies. */
export interface Lock {
  /** Gives the lock up; a second call does nothing. */
  release(): void;
}

interface Holder extends ProcessIdentity {
  readonly token: string;
}

/** Takes the lock `file`, or names the running process that holds it. The lock of a dead process counts as free. */
export function tryLock(file: string): { lock: Lock } | { holder: ProcessIdentity } {
  const me: Holder = { ...self(), token: randomUUID() };
  const mine = `${file}.${me.token}`;
  writeFileSync(mine, JSON.stringify(me), { mode: 0o600 });
  try {
    for (;;) {
      if (linked(mine, file)) return { lock: { release: () => removeLock(file, me) } };
      const holder = readHolder(file);
      if (holder === null) continue;
      if (isRunning(holder)) return { holder };
      removeLock(file, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Takes the lock `file` as soon as its holder gives it up or dies; `onWait` is told once whom it waits for. */
export async function waitForLock(
  file: string,
  options: { signal?: AbortSignal | undefined; onWait?: (holder: ProcessIdentity) => void } = {},
): Promise<Lock> {
  for (let tries = 0; ; tries++) {
    options.signal?.throwIfAborted();
    const result = tryLock(file);
    if ('lock' in result) return result.lock;
    if (tries === 0) options.onWait?.(result.holder);
    await wait(200, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** Who holds the lock `file`; null when nobody alive does. */
export function lockHolder(file: string): ProcessIdentity | null {
  const holder = readHolder(file);
  return holder !== null && isRunning(holder) ? holder : null;
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Removes the lock of exactly this holder. Somebody else's, taken between our look and our move, is put back. */
function removeLock(file: string, holder: Holder): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (readHolder(aside)?.token !== holder.token) linked(aside, file);
  rmSync(aside, { force: true });
}
