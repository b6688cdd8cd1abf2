import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockHolder, tryLock, waitForLock } from '../../../platform/owner-lock.ts';
import { identify, isRunning, self } from '../../../platform/process-identity.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function take(file: string): { release(): void } {
  const taken = tryLock(file);
  if ('holder' in taken) throw new Error(`held by ${taken.holder.pid}`);
  return taken.lock;
}

test('a lock is held once, names its holder, and is free after its release', () => {
  const file = join(folder, 'lock');
  const lock = take(file);
  expect(tryLock(file)).toMatchObject({ holder: self() });
  expect(lockHolder(file)).toMatchObject(self());
  lock.release();
  expect(lockHolder(file)).toBeNull();
  take(file).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a second release does not take the lock from its next holder', () => {
  const file = join(folder, 'lock');
  const first = take(file);
  first.release();
  const second = take(file);
  first.release();
  expect(lockHolder(file)).toMatchObject(self());
  second.release();
});

test('the lock of a process that was killed is free, also when its pid lives again', async () => {
  const file = join(folder, 'lock');
  const child = spawn('sleep', ['60']);
  const dead = identify(child.pid ?? 0);
  expect(dead).not.toBeNull();
  child.kill('SIGKILL');
  await once(child, 'exit');
  writeFileSync(file, JSON.stringify({ ...dead, token: 'dead' }));
  take(file).release();
  writeFileSync(file, JSON.stringify({ pid: process.pid, start: 'another time', token: 'reused pid' }));
  take(file).release();
});

test('who waits gets the lock when it is released, and gives up when told to', async () => {
  const file = join(folder, 'lock');
  const lock = take(file);
  const waited: number[] = [];
  const waiting = waitForLock(file, { onWait: ({ pid }) => waited.push(pid) });
  await expect(waitForLock(file, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout|aborted/i);
  lock.release();
  (await waiting).release();
  expect(waited).toEqual([process.pid]);
});

test('a zombie is not running', async () => {
  const child = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  await expect.poll(() => identify(Number(line))).toBeNull();
  expect(isRunning(identify(child.pid ?? 0) ?? { pid: 0, start: '' })).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
