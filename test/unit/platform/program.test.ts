import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from '../../../platform/process-identity.ts';
import { OutputLimitError, pick, runProgram, startProgram } from '../../../platform/program.ts';

const env = pick(process.env, ['PATH']);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-program-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function pidsIn(name: string): number[] {
  try {
    return readFileSync(join(folder, name), 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

test('a program gets unchanged arguments, its input, and only the given environment', async () => {
  const script = 'cat; printf "%s|" "$@"; env; echo complaint >&2; exit 3';
  const result = await runProgram('sh', ['-c', script, 'sh', '$(id)', 'a b'], {
    env: { ...env, ONLY: 'this' },
    input: 'input|',
  });
  expect(result).toMatchObject({ code: 3, killedBy: null, stderr: 'complaint' });
  expect(result.stdout).toMatch(/^input\|\$\(id\)\|a b\|/);
  expect(result.stdout).toContain('ONLY=this');
  expect(result.stdout).not.toContain('HOME=');
});

test('a missing program rejects with the error of the system', async () => {
  await expect(runProgram(join(folder, 'nothing'), [], { env })).rejects.toMatchObject({ code: 'ENOENT' });
});

test('its end kills processes that it left behind, even outside its group and with its output open', async () => {
  const result = await runProgram('sh', ['-c', `setsid sleep 1000 & sleep 1000 & echo $!; echo done`], {
    env,
    cwd: folder,
  });
  expect(result.stdout).toContain('done');
  expect(identify(Number(result.stdout.split('\n')[0]))).toBeNull();
  expect(await sleepersOf(folder)).toEqual([]);
});

test.runIf(process.platform === 'linux')(
  'its end does not wait for a parent that never notices the end of the processes it left',
  { timeout: 8_000 },
  () => {
    const program = fileURLToPath(new URL('../../../platform/program.ts', import.meta.url));
    const script = `import { runProgram } from ${JSON.stringify(program)};
      await runProgram('sh', ['-c', 'sleep 1000 & exit 0'], { env: process.env });
      console.log('ended');`;
    // orphans of its children become its own, as those of a container belong to its first process
    const parent = `
import ctypes, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
print(subprocess.run(sys.argv[1:], capture_output=True, text=True).stdout)
`;
    const args = ['-c', parent, process.execPath, '--input-type=module-typescript', '-e', script];
    expect(execFileSync('python3', args, { encoding: 'utf8', timeout: 7_000 }).trim()).toBe('ended');
  },
);

test('an abort kills all processes, and rejects with the reason when none is left', async () => {
  const stop = new AbortController();
  const script =
    'setsid sh -c "echo \\$\\$ >> pids; exec sleep 1000" & sh -c "echo \\$\\$ >> pids; exec sleep 1000" & wait';
  const run = runProgram('sh', ['-c', script], { env, cwd: folder, signal: stop.signal });
  await expect.poll(() => pidsIn('pids').length).toBe(2);
  stop.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  expect(pidsIn('pids').map(identify)).toEqual([null, null]);
});

test('a program that ignores SIGTERM is killed after the grace period', async () => {
  const script = 'trap "" TERM; echo $$ > pids; while :; do sleep 1; done';
  const program = startProgram('sh', ['-c', script], { env, cwd: folder, graceMs: 20 });
  program.stdout.resume();
  program.stderr.resume();
  await expect.poll(() => pidsIn('pids').length).toBe(1);
  program.kill();
  expect(await program.ended).toMatchObject({ code: null, killedBy: 'SIGKILL' });
});

test('a process that may be left stays after the program, and is killed with it', async () => {
  const stays = startProgram('sh', ['-c', 'sleep 1000 >/dev/null 2>&1 </dev/null & echo $! > pids'], {
    env,
    cwd: folder,
    mayLeaveProcesses: true,
  });
  stays.stdout.resume();
  stays.stderr.resume();
  expect(await stays.ended).toMatchObject({ code: 0 });
  const [left = 0] = pidsIn('pids');
  expect(identify(left)).not.toBeNull();
  process.kill(left, 'SIGKILL');
});

test('time, output and memory have limits', async () => {
  await expect(runProgram('sleep', ['1000'], { env, timeoutMs: 20 })).rejects.toThrow(/timeout/i);
  await expect(runProgram('yes', [], { env, maxOutputBytes: 100_000 })).rejects.toThrow(OutputLimitError);
  if (process.platform !== 'linux') return;
  const hungry = startProgram(
    process.execPath,
    ['-e', 'const kept = Buffer.alloc(3e8, 1); setInterval(() => kept, 1e3)'],
    {
      env,
      maxMemoryBytes: 200_000_000,
    },
  );
  hungry.stdout.resume();
  hungry.stderr.resume();
  expect(await hungry.ended).toMatchObject({ killedBy: 'SIGKILL', tookTooMuchMemory: true });
});

async function sleepersOf(cwd: string): Promise<string[]> {
  const { stdout } = await runProgram(
    'sh',
    ['-c', 'for p in /proc/[0-9]*; do readlink $p/cwd; done 2>/dev/null; true'],
    {
      env,
    },
  );
  return stdout.split('\n').filter((path) => path === cwd);
}
