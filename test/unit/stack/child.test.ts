import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { poll, superviseChild } from '../../../stack/child.ts';
import type { ChildSpec } from '../../../stack/child.ts';
import { STACK_MARK, stopLeftovers } from '../../../stack/leftovers.ts';
import { identify, isRunning } from '../../../platform/process-identity.ts';
import type { ProcessIdentity } from '../../../platform/process-identity.ts';
import { runProgram } from '../../../platform/program.ts';
import { serverEnvironment } from '../../../stack/server-environment.ts';
import { StackError } from '../../../stack/stack-error.ts';

let folder: string;
let started: ProcessIdentity[];
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-child-'));
  started = [];
  told = [];
});
afterEach(async () => {
  await stopLeftovers(folder, []);
  rmSync(folder, { recursive: true });
});

const hooks = {
  onStart: (identity: ProcessIdentity) => void started.push(identity),
  onProgress: ({ message }: { message: string }) => void told.push(message),
};

function shell(script: string, change: Partial<ChildSpec> = {}): ChildSpec {
  return {
    name: 'thing',
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'], [STACK_MARK]: folder },
    logFile: join(folder, 'logs', 'thing.log'),
    ready: async (signal, logged) => {
      await poll(() => (logged().includes('ready') ? true : null), signal);
    },
    readyTimeout: 10_000,
    stopTimeout: 5000,
    ...change,
  };
}

function running(): ProcessIdentity[] {
  return started.filter((identity) => isRunning(identity));
}

test('a killed child is restarted, and stops on request with all processes that it started', async () => {
  const child = await superviseChild(shell('sleep 1000 & echo ready $!; wait'), hooks);
  const [first] = started;
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await expect.poll(() => told, { timeout: 10_000 }).toContain('is back');
  expect(started).toHaveLength(2);
  expect(running()).toEqual([started[1]]);
  await child.stop();
  expect(running()).toEqual([]);
  const sleepers = readFileSync(join(folder, 'logs', 'thing.log'), 'utf8').match(/\d+/g) ?? [];
  expect(sleepers).toHaveLength(2);
  for (const pid of sleepers) await expect.poll(() => identify(Number(pid))).toBeNull();
});

test('a child that ends during its start is reported with the end of its log', async () => {
  const starting = superviseChild(shell('echo the port is taken; exit 7'), hooks);
  await expect(starting).rejects.toThrow(StackError);
  await expect(starting).rejects.toThrow(/ended with exit code 7 while it started; see .*the port is taken/s);
});

test('a child that is not ready in time is ended', async () => {
  const starting = superviseChild(shell('echo hello; sleep 1000', { readyTimeout: 200 }), hooks);
  await expect(starting).rejects.toThrow(/was not ready after 0\.2 s/);
  expect(running()).toEqual([]);
});

test('a child that ignores SIGTERM is killed after its grace period', async () => {
  const child = await superviseChild(
    shell('trap "" TERM; echo ready; while :; do sleep 1; done', { stopTimeout: 100 }),
    hooks,
  );
  await child.stop();
  expect(running()).toEqual([]);
});

test('a missing program is reported', async () => {
  await expect(superviseChild(shell('', { command: join(folder, 'nothing') }), hooks)).rejects.toThrow(
    'could not be started',
  );
});

test('an abort ends a start and all its processes', async () => {
  const abort = new AbortController();
  const starting = superviseChild(shell('sleep 1000'), { ...hooks, signal: abort.signal });
  await expect.poll(() => running()).toHaveLength(1);
  abort.abort();
  await expect(starting).rejects.toThrow(/aborted/);
  expect(running()).toEqual([]);
});

test('leftover processes are found by their mark even without a record', async () => {
  const child = await superviseChild(
    shell('sleep 1000 & until read name < /proc/$!/comm && [ "$name" = sleep ]; do :; done; echo ready; wait'),
    hooks,
  );
  expect(await stopLeftovers(`${folder}-other`, [])).toEqual([]);
  expect(running()).toHaveLength(1);
  const names = await stopLeftovers(folder, []);
  expect(names.toSorted()).toEqual(['sh', 'sleep']);
  await child.stop();
});

test('an abort ends a program that runs to its end, with what it started', async () => {
  const file = join(folder, 'pid');
  const script = `sleep 1000 & echo $! > ${file}; wait`;
  const abort = new AbortController();
  const run = runProgram('/bin/sh', ['-c', script], { env: { PATH: process.env['PATH'] }, signal: abort.signal });
  const sleeper = await poll(() => Number(readIfThere(file)) || null, AbortSignal.timeout(5000));
  abort.abort();
  await expect(run).rejects.toThrow(/aborted/);
  await expect.poll(() => identify(sleeper)).toBeNull();
});

test('a server gets no token from the environment', () => {
  const env = {
    PATH: '/bin',
    HOME: '/home/me',
    GITHUB_TOKEN: 'secret',
    CLUSTER_JOIN: 'elsewhere:7946',
    TEMPORAL_API_KEY: 'k',
  };
  expect(serverEnvironment(env, '/data')).toEqual({ PATH: '/bin', HOME: '/home/me', LONGHAUL_STACK: '/data' });
});

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
