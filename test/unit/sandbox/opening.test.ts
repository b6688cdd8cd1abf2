import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkSandbox } from '../../../activities/sandbox/check.ts';
import { openSandbox } from '../../../activities/sandbox/open-sandbox.ts';
import type { Sandbox, SandboxSettings } from '../../../activities/sandbox/sandbox.ts';
import { openUnconfined } from '../../../activities/sandbox/unconfined.ts';
import { sandboxFinding } from '../../../client/cli/stack/sandbox-finding.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { createProcessStarter, type ProcessStarter } from '../../../platform/process-starter.ts';
import { LIMITS, processesWith } from '../../support/sandbox-worker.ts';

const isRoot = process.getuid?.() === 0;

let place: string;
let settings: SandboxSettings;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'longhaul-opening-'));
  await chmod(place, 0o711);
  const scratch = join(place, 'scratch');
  settings = {
    sandbox: 'bubblewrap',
    toolchains: [],
    network: false,
    limits: LIMITS,
    scratch,
    env: { PATH: process.env['PATH'] },
  };
});
afterEach(() => rm(place, { recursive: true, force: true }));

async function folderIn(sandbox: Sandbox): Promise<string> {
  const folder = await mkdtemp(join(sandbox.scratch, 'job-'));
  await sandbox.give(folder);
  return folder;
}

/** A program on PATH that stands in for a bubblewrap of another machine. */
async function standIn(script: string): Promise<NodeJS.ProcessEnv> {
  const programs = join(place, 'programs');
  await mkdir(programs, { recursive: true });
  await writeFile(join(programs, 'bwrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await chmod(programs, 0o755);
  return { PATH: `${programs}:/usr/bin:/bin` };
}

describe('a sandbox is refused', () => {
  test('where bubblewrap is missing, too old, or not permitted', async () => {
    const empty = { PATH: join(place, 'no-programs') };
    await expect(openSandbox({ ...settings, env: empty })).rejects.toMatchObject({
      type: 'SandboxUnusable',
      message: 'bubblewrap (the program bwrap) is not on PATH.',
    });
    const old = await standIn('echo bubblewrap 0.4.1');
    await expect(openSandbox({ ...settings, env: old })).rejects.toThrow(/is 0\.4\.1, older than 0\.8\./);
    const forbidden = await standIn(
      '[ "$1" = --version ] && echo bubblewrap 0.11.0 && exit; echo "bwrap: setting up uid map: Permission denied" >&2; exit 1',
    );
    await expect(openSandbox({ ...settings, env: forbidden })).rejects.toMatchObject({
      type: 'SandboxUnusable',
      message: expect.stringContaining('setting up uid map: Permission denied') as string,
    });
  });

  test('for folders that other users could change, or that would show too much', async () => {
    await mkdir(settings.scratch);
    await chmod(settings.scratch, 0o777);
    await expect(openSandbox(settings)).rejects.toThrow(/^pipelines\.scratch: .*no other user can write/);
    await chmod(settings.scratch, 0o711);
    for (const toolchain of ['/home', '/etc/ssl', '/work/tools', join(place, 'missing')]) {
      await expect(openSandbox({ ...settings, toolchains: [toolchain] }), toolchain).rejects.toMatchObject({
        type: 'InvalidConfiguration',
        message: expect.stringContaining(toolchain) as string,
      });
    }
  });

  test.runIf(isRoot)('for a folder that the user of the programs cannot enter', async () => {
    await chmod(place, 0o700);
    await expect(openSandbox(settings)).rejects.toThrow(`may not enter ${place}`);
  });
});

test('a program with an impossible environment is refused', async () => {
  const sandbox = await openSandbox(settings);
  const program = {
    argv: ['true'] as const,
    folder: await folderIn(sandbox),
    network: false,
    timeoutSeconds: 20,
    signal: new AbortController().signal,
    onOutput: () => undefined,
  };
  for (const env of [{ 'A=B': '1' }, { 'BASH_FUNC_ls%%': '() { true; }' }, { UID: '0' }, { A: 'x\0B=y' }]) {
    await expect(sandbox.run({ ...program, env })).rejects.toMatchObject({ type: 'InvalidInput' });
  }
  // what fails to take the output ends the program
  const full = sandbox.run({
    ...program,
    argv: ['yes'],
    env: {},
    onOutput: () => Promise.reject(new Error('the disk is full')),
  });
  await expect(full).rejects.toThrow('the disk is full');
  await sandbox.close();
});

describe('the check of a sandbox', () => {
  test('finds that bubblewrap keeps every promise, and that none keeps hardly any', async () => {
    const jail = await openSandbox(settings);
    const claims = await checkSandbox(jail, LIMITS.processes);
    expect(claims.filter(({ holds }) => !holds)).toEqual([]);
    await jail.close();
    const none = await openSandbox({ ...settings, sandbox: 'none' });
    const broken = (await checkSandbox(none, LIMITS.processes)).filter(({ holds }) => !holds);
    const expected = ['no network', 'an own host name'];
    expect(broken.map(({ claim }) => claim)).toEqual(expect.arrayContaining(expected));
    await none.close();
  });

  test('is what doctor shows', async () => {
    const context = (pipelines: object, env = process.env) => ({
      config: configSchema.parse({ pipelines: { scratch: settings.scratch, ...pipelines } }),
      cacheDir: place,
      env,
    });
    expect(await sandboxFinding(context({}))).toEqual({
      name: 'sandbox',
      ok: true,
      remedy: null,
      found: expect.stringMatching(/^bubblewrap \d.*runs programs, no network, .*at most 2048 processes$/) as string,
    });
    expect((await sandboxFinding(context({ sandbox: 'none' }))).found).toMatch(
      /^none, as pipelines\.sandbox says.*network/,
    );
    const missing = await sandboxFinding(context({}, { PATH: place }));
    expect(missing).toMatchObject({ ok: true, found: expect.stringContaining('apt-get install bubblewrap') as string });
  });
});

describe('without a sandbox', () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await openSandbox({ ...settings, sandbox: 'none' });
  });
  afterEach(() => sandbox.close());

  async function run(script: string, timeoutSeconds = 30, signal = new AbortController().signal) {
    let output = '';
    const folder = await folderIn(sandbox);
    const end = await sandbox.run({
      argv: ['bash', '-c', script],
      folder,
      env: { PLAIN: 'a b=c\nd' },
      network: false,
      timeoutSeconds,
      signal,
      onOutput: (piece) => void (output += piece.toString('utf8')),
    });
    return { end, output, folder };
  }

  test('programs are limited, get only their environment, and do not run as root', async () => {
    vi.stubEnv('CANARY', 'canary-of-the-worker');
    const { output, folder, end } = await run('id -u; pwd; env; ulimit -Hu; echo x >file; exit 4');
    vi.unstubAllEnvs();
    expect(end).toMatchObject({ ended: 'exit', exitCode: 4 });
    expect(output).toMatch(isRoot ? /^65534\n/ : new RegExp(`^${process.getuid?.()}\n`));
    expect(output).toContain(`\n${folder}\n`);
    expect(output).toContain('PLAIN=a b=c\nd\n');
    expect(output).toMatch(new RegExp(`\n${LIMITS.processes}\n$`));
    expect(output).not.toMatch(/canary/i);
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('x\n');
  });

  test('programs are ended with what they started', async () => {
    const left = `87${process.pid}.1`;
    await run(`sleep ${left} & (setsid sleep ${left} </dev/null >/dev/null 2>&1 &); exit 0`);
    expect(processesWith(left)).toEqual([]);
    const { end } = await run(
      `trap '' TERM; (setsid bash -c "trap '' TERM; sleep ${left}" &); sleep ${left}; sleep ${left}`,
      1,
    );
    expect({ ended: end.ended, left: processesWith(left) }).toEqual({ ended: 'timeout', left: [] });
  });

  test('a program is ended when the process that starts programs ends before it has answered', async () => {
    const left = `87${process.pid}.2`;
    const starter = createProcessStarter();
    const dying: ProcessStarter = {
      ...starter,
      async start(order) {
        const { ended } = await starter.start(order);
        await vi.waitUntil(() => processesWith(left).length > 0);
        await starter.close();
        await expect(ended).rejects.toThrow('the process that starts programs has ended');
        throw new Error('the process that starts programs has ended');
      },
    };
    const unconfined = await openUnconfined({ ...settings, sandbox: 'none' }, dying);
    const running = unconfined.run({
      argv: ['bash', '-c', `setsid sleep ${left} & sleep ${left}`],
      folder: await folderIn(unconfined),
      env: {},
      network: false,
      timeoutSeconds: 30,
      signal: new AbortController().signal,
      onOutput: () => undefined,
    });
    await expect(running).rejects.toThrow('the process that starts programs has ended');
    expect(processesWith(left)).toEqual([]);
    await unconfined.close();
  });

  test('every report can say what does not hold', () => {
    expect(sandbox.isolation).toMatchObject({ kind: 'none', program: null });
    expect(sandbox.isolation.missing.join(' ')).toMatch(/everything on this machine.*network/);
    expect(sandbox.workFolder).toBeNull();
  });
});
