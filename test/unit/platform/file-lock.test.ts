import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type FileLock, isShared, lockHolder, tryLock, waitForLock, withLock } from '../../../platform/file-lock.ts';
import { identify, isRunning, self, signature } from '../../../platform/process-identity.ts';

const MODULE = JSON.stringify(new URL('../../../platform/file-lock.ts', import.meta.url));
const canUnshare = process.platform === 'linux' && process.getuid?.() === 0;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function take(path: string): Promise<FileLock> {
  const taken = await tryLock(path);
  if ('holder' in taken) throw new Error(`held by ${taken.holder.process?.pid}`);
  return taken.lock;
}

test('a lock is held once, names its holder, and is free after its release', async () => {
  const lock = await take(file);
  expect(await tryLock(file)).toMatchObject({ holder: { process: self(), isVisible: true } });
  expect(lockHolder(file)).toMatchObject(self());
  await lock.release();
  expect(lockHolder(file)).toBeNull();
  await (await take(file)).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a second release does not take the lock from its next holder', async () => {
  const first = await take(file);
  await first.release();
  const second = await take(file);
  await first.release();
  expect(lockHolder(file)).toMatchObject(self());
  await second.release();
});

test('the lock of a killed process is free, even when its pid is in use again', async () => {
  const child = spawn('sleep', ['60']);
  const dead = identify(child.pid ?? 0);
  expect(dead).not.toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
  writeFileSync(file, JSON.stringify({ ...signature(), ...dead, token: 'dead' }));
  await (await take(file)).release();
  writeFileSync(file, JSON.stringify({ ...signature(), start: `${self().start}0`, token: 'reused pid' }));
  await (await take(file)).release();
  // as version 0.4.0 writes it
  writeFileSync(file, JSON.stringify({ ...dead, token: 'dead' }));
  await (await take(file)).release();
});

test('a waiter gets the lock when it is released, and gives up at an abort', async () => {
  const lock = await take(file);
  const holders: unknown[] = [];
  const waiting = waitForLock(file, {
    onHeld: ({ process: holder }, waitedMs) => void (waitedMs === 0 && holders.push(holder?.pid)),
  });
  await expect(waitForLock(file, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout|aborted/i);
  await lock.release();
  await (await waiting).release();
  expect(holders).toEqual([process.pid]);
});

test('a waiter takes the lock of a process that is killed', async () => {
  const code = `import { withLock } from ${MODULE};
    await withLock(${JSON.stringify(file)}, () => { process.stdout.write('held'); return new Promise((r) => setTimeout(r, 60000)); });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let holder: unknown = null;
  const waiting = waitForLock(file, { onHeld: (found) => (holder = found.process?.pid) });
  await expect.poll(() => holder).toBe(child.pid);
  child.kill('SIGKILL');
  await (await waiting).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('calls of one process hold the lock one at a time, also after one that failed', async () => {
  let inside = 0;
  const work = async (): Promise<void> => {
    expect(++inside).toBe(1);
    await setImmediate();
    inside--;
  };
  await Promise.all(Array.from({ length: 20 }, () => withLock(file, work)));
  await expect(withLock(file, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await withLock(file, () => Promise.resolve(1))).toBe(1);
});

test('a waiter behind another one of its process reacts to an abort, and does not affect those behind it', async () => {
  const stop = new AbortController();
  let free: () => void = () => undefined;
  const held = withLock(file, () => new Promise<void>((resolve) => (free = resolve)));
  await expect.poll(() => existsSync(file)).toBe(true);
  const aborted = withLock(file, () => Promise.reject(new Error('ran')), stop.signal);
  const next = withLock(file, () => Promise.resolve('ran'));
  stop.abort(new Error('stop'));
  await expect(aborted).rejects.toThrow('stop');
  expect(lockHolder(file)).toMatchObject(self());
  free();
  await held;
  expect(await next).toBe('ran');
});

describe('a holder that is not visible from here', () => {
  const elsewhere = { host: 'elsewhere', namespace: 'pid:[1]', pid: 1, start: 'another-boot/1', token: 'other' };

  test('keeps its lock while it touches it, regardless of its clock, and loses it after a minute without touches', async () => {
    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    writeFileSync(file, JSON.stringify(elsewhere));
    let touched = 0;
    const lock = await waitForLock(file, {
      onHeld: ({ isVisible }) => {
        expect(isVisible).toBe(false);
        now += 59_000;
        // its clock is years behind ours
        if (touched < 3) utimesSync(file, ++touched, touched);
      },
    });
    expect(touched).toBe(3);
    expect(lockHolder(file)).toMatchObject(self());
    await lock.release();
  });

  test('keeps a lock whose file is older than the wait of the others', async () => {
    writeFileSync(file, JSON.stringify(elsewhere));
    utimesSync(file, 1, 1);
    expect(await tryLock(file)).toMatchObject({ holder: { isVisible: false } });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(elsewhere);
  });

  test('counts as ended when it is from before the last boot', async () => {
    writeFileSync(file, JSON.stringify({ ...elsewhere, host: hostname() }));
    expect(await tryLock(file)).toMatchObject({ holder: { isVisible: false } });
    utimesSync(file, 1, 1);
    await (await take(file)).release();
  });

  test('counts as a user of a shared file, until it has not touched its mark for a minute', async () => {
    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const use = `${file}.use-1`;
    writeFileSync(use, JSON.stringify(elsewhere));
    utimesSync(use, 1, 1);
    expect(await isShared(file)).toBe(true);
    now += 61_000;
    utimesSync(use, 2, 2);
    expect(await isShared(file)).toBe(true);
    now += 61_000;
    expect(await isShared(file)).toBe(false);
    expect(existsSync(use)).toBe(false);
  });

  test.runIf(canUnshare)('is one in another PID namespace of the same host', async () => {
    const code = `import { withLock } from ${MODULE};
      await withLock(${JSON.stringify(file)}, () => { process.stdout.write('held'); return new Promise((r) => setTimeout(r, 60000)); });`;
    const node = [process.execPath, '--input-type=module-typescript', '-e', code];
    const child = spawn('unshare', ['--pid', '--mount-proc', '--fork', '--kill-child', ...node], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ host: hostname() });
    expect(await tryLock(file)).toMatchObject({ holder: { isVisible: false } });
    expect(await tryLock(file)).toMatchObject({ holder: { isVisible: false } });
  });
});

test('the age of a lock begins when it was taken, not when the wait began', async () => {
  const lock = await take(file);
  const waiting = waitForLock(file);
  await expect.poll(() => readdirSync(folder)).toEqual(['lock']);
  // a file that a waiter wrote earlier never becomes the lock
  await lock.release();
  const taken = await waiting;
  expect(lockHolder(file)).toMatchObject(self());
  await taken.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a zombie is not running', async () => {
  const child = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  await expect.poll(() => identify(Number(line))).toBeNull();
  expect(isRunning(identify(child.pid ?? 0) ?? { pid: 0, start: '' })).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
