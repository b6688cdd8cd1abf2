import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { identify, isRunning } from '../../../platform/process-identity.ts';
import { createProcessStarter, type ProcessStarter } from '../../../platform/process-starter.ts';

/** A limit against hanging, for a busy machine. */
const WAIT = { timeout: 60_000 };

let folder: string;
let starter: ProcessStarter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-starter-'));
  starter = createProcessStarter();
});
afterEach(async () => {
  await starter.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A named pipe that this process reads. */
function outputPipe() {
  const output = join(folder, 'pipe');
  execFileSync('mkfifo', [output]);
  const reader = openSync(output, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(output, constants.O_WRONLY);
  return {
    output,
    /** All that is written from now on, when no process has the other end any more. */
    read(): Promise<string> {
      closeSync(writer);
      return text(new Socket({ fd: reader, writable: false }));
    },
  };
}

const env = { PATH: process.env['PATH'] ?? '' };

/** The parent of a process. */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

test('a program has its arguments, input and output, reports on its own descriptor, and an exit code', async () => {
  const pipe = outputPipe();
  const reports: string[] = [];
  const started = await starter.start({
    command: 'bash',
    args: ['-c', 'echo "$1 $NAME"; cat <&4; echo "told" >&3; echo wrong >&2; exit 7', '-', 'a b'],
    env: { ...env, NAME: 'of its own' },
    output: pipe.output,
    input: 'read me\n',
    onReport: (said) => reports.push(said),
  });
  const said = pipe.read();
  expect(await started.ended).toEqual({ code: 7, killedBy: null });
  await started.reported;
  expect(await said).toBe('a b of its own\nread me\nwrong\n');
  expect(reports.join('')).toBe('told\n');
});

test('a program is the child of a process without an environment of its own, and can be ended by a signal', async () => {
  const pipe = outputPipe();
  const { pid, ended, kill } = await starter.start({
    command: 'sleep',
    args: ['1000'],
    env,
    output: pipe.output,
  });
  const parent = parentOf(pid);
  expect(parentOf(parent)).toBe(process.pid);
  // those of the channel between the two
  const names = readFileSync(`/proc/${parent}/environ`, 'latin1')
    .split('\0')
    .map((line) => line.split('=')[0]);
  expect(names).toEqual(['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', '']);
  kill('SIGTERM');
  expect(await ended).toEqual({ code: null, killedBy: 'SIGTERM' });
  expect(await pipe.read()).toBe('');
});

test('a program that does not exist is an error of the start', async () => {
  const pipe = outputPipe();
  const start = starter.start({ command: '/no/such/program', args: [], env, output: pipe.output });
  await expect(start).rejects.toMatchObject({ code: 'ENOENT', message: expect.stringContaining('/no/such/program') });
  expect(await pipe.read()).toBe('');
});

test('when the process that starts programs is killed, its programs are lost, and the next start makes another', async () => {
  const pipe = outputPipe();
  const order = { command: 'sleep', args: ['1000'], env, output: pipe.output };
  const first = await starter.start(order);
  const sleeping = identify(first.pid);
  process.kill(parentOf(first.pid), 'SIGKILL');
  await expect(first.ended).rejects.toThrow('the process that starts programs has ended');
  await first.reported;
  process.kill(first.pid, 'SIGKILL');
  await vi.waitUntil(() => sleeping !== null && !isRunning(sleeping), WAIT);
  const second = await starter.start({ ...order, command: 'true', args: [] });
  expect(await second.ended).toEqual({ code: 0, killedBy: null });
  await pipe.read();
});
