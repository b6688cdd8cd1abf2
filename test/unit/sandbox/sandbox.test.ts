import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SandboxSettings } from '../../../activities/sandbox/sandbox.ts';
import { identify, isRunning } from '../../../platform/process-identity.ts';
import { descendants } from '../../../activities/sandbox/process-tree.ts';
import {
  type Answer,
  type BegunRun,
  LIMITS,
  processesWith,
  type SandboxWorker,
  type SentProgram,
  startSandboxWorker,
} from '../../support/sandbox-worker.ts';

/** A limit against hanging, for a busy machine. */
const WAIT = { timeout: 60_000 };

const isRoot = process.getuid?.() === 0;
/** The users that a worker runs as; root also becomes an ordinary one. */
const USERS = isRoot
  ? [
      { user: 'root', uid: undefined },
      { user: 'an ordinary user', uid: 65_534 },
    ]
  : [{ user: 'an ordinary user', uid: undefined }];

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'longhaul-sandbox-'));
  await chmod(place, 0o711);
});
afterAll(() => rm(place, { recursive: true, force: true }));

/** A folder for a worker that runs as a user. */
async function folderFor(uid: number | undefined, name: string): Promise<string> {
  const folder = await mkdtemp(join(place, `${name}-`));
  await chmod(folder, 0o711);
  if (uid !== undefined) await execa('chown', [`${uid}:${uid}`, folder]);
  return folder;
}

async function settingsFor(
  uid: number | undefined,
  change: Partial<SandboxSettings> = {},
): Promise<Omit<SandboxSettings, 'env'>> {
  const scratch = await folderFor(uid, 'scratch');
  return { sandbox: 'bubblewrap', toolchains: [], network: false, limits: LIMITS, scratch, ...change };
}

/** A folder for the programs of a worker. */
async function jobFolder(worker: SandboxWorker, uid: number | undefined): Promise<string> {
  const folder = await mkdtemp(join(worker.scratch, 'job-'));
  if (uid !== undefined) await execa('chown', [`${uid}:${uid}`, folder]);
  await worker.give(folder);
  return folder;
}

/** The text of a process's `/proc/<pid>/<file>`. */
function ofProcess(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'latin1');
}

let marks = 0;
/** An argument of `sleep` that no other process has. */
function mark(): string {
  return `86${process.pid}.${(marks += 1)}`;
}

describe.each(USERS)('a worker of $user with bubblewrap', ({ uid }) => {
  let worker: SandboxWorker;
  let folder: string;
  beforeAll(async () => {
    worker = await startSandboxWorker(await settingsFor(uid), {
      uid,
      env: { CANARY: 'canary-of-the-worker', GITHUB_TOKEN: 'ghp_canary' },
    });
  });
  afterAll(() => worker.kill());
  beforeEach(async () => {
    folder = await jobFolder(worker, uid);
  });

  /** Runs a script of bash. */
  const run = (script: string, more: Partial<SentProgram> = {}, store?: string): Promise<Answer> =>
    worker.run({ argv: ['bash', '-c', script], folder, ...more }, store);
  const begin = (script: string): BegunRun => worker.begin({ argv: ['bash', '-c', script], folder });

  test('gives a program its arguments, environment and folder, and nothing of its own', async () => {
    const { end, output } = await worker.run({
      argv: [
        'bash',
        '-c',
        'printf "%s\\n" "$@"; env -0 | sort -z | tr "\\0\\n" "\\n|"; pwd; echo made >new',
        '-',
        'a b',
        "'$(id)'",
      ],
      folder,
      env: { PLAIN: 'x y\nz', BASH_ENV: '/work/evil', LD_PRELOAD: '/work/evil.so' },
    });
    expect(end).toMatchObject({ exitCode: 0, ended: 'exit', signal: null });
    const lines = output.split('\n').filter((line) => !line.startsWith('ERROR: ld.so'));
    expect(lines).toEqual(
      expect.arrayContaining(['a b', "'$(id)'", 'PLAIN=x y|z', 'HOME=/home/program', 'TMPDIR=/tmp', '/work']),
    );
    expect(output).not.toMatch(/canary/i);
    expect(await readFile(join(folder, 'new'), 'utf8')).toBe('made\n');
  });

  test('code in the environment of a program does not run before its limits hold', async () => {
    await writeFile(join(folder, 'evil'), 'ulimit -Hu >>/work/limits\n');
    await chmod(join(folder, 'evil'), 0o644);
    await run('true', { env: { BASH_ENV: '/work/evil' } });
    expect(await readFile(join(folder, 'limits'), 'utf8')).toBe(`${LIMITS.processes}\n`);
  });

  test('programs run without rights as a user that is not root, in namespaces of their own', async () => {
    const sleeping = mark();
    const { answer, cancel } = begin(`sleep ${sleeping}`);
    const pid = await vi.waitUntil(() => processesWith(`sleep\0${sleeping}`)[0], WAIT);
    const status = ofProcess(pid, 'status');
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    const expected = uid ?? (isRoot ? 65_534 : process.getuid?.());
    expect(field('Uid').split('\t').map(Number)).toEqual([expected, expected, expected, expected]);
    expect(field('Uid')).not.toMatch(/\b0\b/);
    expect([field('CapEff'), field('CapPrm'), field('CapBnd'), field('NoNewPrivs')]).toEqual([
      ...Array<string>(3).fill('0000000000000000'),
      '1',
    ]);
    for (const name of ['pid', 'net', 'mnt', 'ipc', 'uts', 'user', 'cgroup']) {
      expect(readlinkSync(`/proc/${pid}/ns/${name}`), name).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
    }
    cancel();
    expect((await answer).end.ended).toBe('cancelled');
  });

  test('a program sees no files of people, no sockets and no secrets, and writes only to its folder', async () => {
    const outside = await folderFor(uid, 'outside');
    const secret = join(outside, 'secret');
    await writeFile(secret, 'the secret');
    await chmod(secret, 0o666);
    await chmod(outside, 0o777);
    await symlink(outside, join(folder, 'out'));
    const { output } = await run(`
      for file in '${secret}' out/secret /etc/shadow /etc/sudoers /root /proc/1/root${secret} ~/../../root; do
        cat "$file" >/dev/null 2>&1 && echo "read $file"
        ls "$file" >/dev/null 2>&1 && echo "listed $file"
      done
      for file in out/new '${outside}/new' /usr/new /etc/passwd /etc/new /new /dev/new /proc/sys/kernel/hostname /work/../new; do
        (echo pwned >"$file") 2>/dev/null && echo "wrote $file"
      done
      ln -s '${outside}' mine; (echo pwned >mine/new) 2>/dev/null && echo 'wrote mine'
      find / -xdev -type s 2>/dev/null; find /run /var /home -type s 2>/dev/null
      cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -ai canary
      echo done
    `);
    expect(output).toBe('done\n');
    expect(await readdir(outside)).toEqual(['secret']);
  });

  test('a program sees and reaches no process of this machine', async () => {
    const sleeping = mark();
    const ours = execa('sleep', [sleeping], { reject: false });
    const pid = await vi.waitUntil(() => processesWith(`sleep\0${sleeping}`)[0], WAIT);
    await writeFile(join(folder, 'pattern'), sleeping);
    const { output } = await run(`
      kill -0 ${pid} 2>/dev/null && echo 'signalled it'
      kill -9 -1 2>/dev/null
      grep -a -l -f pattern /proc/[0-9]*/cmdline 2>/dev/null
      unshare --user true 2>/dev/null && echo 'made a namespace'
      echo "processes $(ls /proc | grep -c '^[0-9]')"
      echo "name $(hostname)"
    `);
    expect(processesWith(`sleep\0${sleeping}`)).toEqual([pid]);
    ours.kill('SIGKILL');
    await ours;
    const [, count] = /processes (\d+)/.exec(output) ?? [];
    expect(Number(count)).toBeLessThan(10);
    expect(output).not.toMatch(/signalled|namespace|cmdline/);
    expect(output).not.toContain(`name ${hostname()}\n`);
  });

  test('without a network a program reaches no server of this machine, and no other machine', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const script = `
      for address in 127.0.0.1/${port} localhost/${port} 169.254.169.254/80; do
        timeout 5 bash -c ": >/dev/tcp/$address" 2>/dev/null && echo "reached $address"
      done
      tail -n +3 /proc/net/dev | cut -d: -f1
    `;
    const { output } = await run(script);
    expect({ interfaces: output.trim(), connections }).toEqual({ interfaces: 'lo', connections: 0 });
    await expect(run('true', { network: true })).rejects.toThrow('NetworkNotAllowed');
    // the trial is able to find a server
    await execa('bash', ['-c', script], { reject: false });
    expect(connections).toBeGreaterThan(0);
    server.close();
  });

  test('programs share a private network, which reaches nothing else and which nothing else reaches', async () => {
    const script = `
      import os, socket
      server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen()
      open('/work/port.new', 'w').write(str(server.getsockname()[1])); os.rename('/work/port.new', '/work/port')
      print(server.accept()[0].recv(5).decode())
    `.replaceAll('\n      ', '\n');
    const service = worker.begin({ argv: ['python3', '-c', script], folder, network: 'shared' });
    await vi.waitUntil(() => existsSync(join(folder, 'port')), WAIT);
    const port = await readFile(join(folder, 'port'), 'utf8');
    const reach = `(echo hello >/dev/tcp/127.0.0.1/${port}) 2>/dev/null && echo reached`;
    expect((await execa('bash', ['-c', reach], { reject: false })).stdout).toBe('');
    expect((await run(reach)).output).toBe('');
    const seen = `tail -n +3 /proc/net/dev | cut -d: -f1; unshare --user true 2>/dev/null && echo 'made a namespace'; ${reach}`;
    expect((await run(seen, { network: 'shared' })).output.trim().split(/\s+/)).toEqual(['lo', 'reached']);
    expect((await service.answer).output).toBe('hello\n');
  });

  test('reports exit codes and signals as shells do, and output in the order of writing', async () => {
    const ends = ['exit 3', 'kill -SEGV $$', 'exec /no/such/program', 'exec nonsense'].map(async (script) => {
      const { end } = await run(script);
      return [end.ended, end.exitCode, end.signal];
    });
    expect(await Promise.all(ends)).toEqual([
      ['exit', 3, null],
      ['signal', null, 'SIGSEGV'],
      ['exit', 127, null],
      ['exit', 127, null],
    ]);
    const { end } = await worker.run({ argv: ['no-such-program'], folder });
    expect(end).toMatchObject({ ended: 'exit', exitCode: 127 });
    const { output } = await run('for i in 1 2 3; do echo out $i; echo err $i >&2; echo again $i >/dev/stderr; done');
    expect(output).toBe([1, 2, 3].map((i) => `out ${i}\nerr ${i}\nagain ${i}\n`).join(''));
  });

  test('streams 200 MB of output into the blob store while memory stays flat', async () => {
    const store = await folderFor(uid, 'blobs');
    const print = "yes 'a line of output, again and again' | head -c 200000000";
    const { end, blob, grown } = await run(print, {}, store);
    const expected = await execa('bash', ['-c', `${print} | sha256sum`]);
    expect(end).toMatchObject({ ended: 'exit', exitCode: 0 });
    expect(blob).toEqual({ digest: expected.stdout.split(' ')[0], size: 200_000_000 });
    expect(grown).toBeLessThanOrEqual(64_000_000);
  });

  describe('ends', () => {
    test('what a program leaves running, together with it', async () => {
      const left = mark();
      const { end } = await run(`
        sleep ${left} & (setsid sleep ${left} </dev/null >/dev/null 2>&1 &) ; nohup sleep ${left} >/dev/null 2>&1 &
        (trap '' TERM HUP INT; exec -a hidden sleep ${left}) & disown
        exit 0
      `);
      expect({ ended: end.ended, left: processesWith(left) }).toEqual({ ended: 'exit', left: [] });
    });

    test.each(['cancelled', 'timeout'] as const)('all processes of one that resists, when it is %s', async (why) => {
      const left = mark();
      const script = `
        trap '' TERM HUP INT
        for i in 1 2 3; do (setsid bash -c "trap '' TERM; while :; do (setsid sleep ${left} &); sleep 0.1; done" &) ; done
        sleep ${left}
      `;
      const begun =
        why === 'cancelled' ? begin(script) : worker.begin({ argv: ['bash', '-c', script], folder, timeoutSeconds: 1 });
      await vi.waitUntil(() => processesWith(`sleep\0${left}`).length > 5, WAIT);
      if (why === 'cancelled') begun.cancel();
      const { end } = await begun.answer;
      expect({ ended: end.ended, left: processesWith(left) }).toEqual({ ended: why, left: [] });
    });

    test('a program with SIGTERM first, so that it can clean up', async () => {
      const { answer, cancel } = begin(
        "trap 'echo clean >done; exit 0' TERM; touch ready; while :; do sleep 0.1; done",
      );
      await vi.waitUntil(() => existsSync(join(folder, 'ready')), WAIT);
      cancel();
      expect((await answer).end).toMatchObject({ ended: 'cancelled', exitCode: null });
      expect(await readFile(join(folder, 'done'), 'utf8')).toBe('clean\n');
    });

    test('all programs of a worker that is killed', async () => {
      const doomed = await startSandboxWorker(await settingsFor(uid), { uid });
      const own = await jobFolder(doomed, uid);
      const left = mark();
      const script = `trap '' TERM HUP; (setsid sleep ${left} &); sleep ${left} & sleep ${left}`;
      doomed.begin({ argv: ['bash', '-c', script], folder: own });
      await vi.waitUntil(() => processesWith(`sleep\0${left}`).length >= 3, WAIT);
      const tree = descendants(doomed.pid).map((pid) => identify(pid));
      expect(tree.length).toBeGreaterThan(4);
      await doomed.kill();
      await expect.poll(() => processesWith(left)).toEqual([]);
      await expect.poll(() => tree.filter((one) => one !== null && isRunning(one))).toEqual([]);
    });
  });

  describe('limits', () => {
    test('the number of processes, also of one that only multiplies', async () => {
      const left = mark();
      // without the limit it would end at a thousand
      const bomb = `f() { sleep ${left} & if [ $1 -lt 8 ]; then f $(($1 + 1)) & f $(($1 + 1)) & fi; wait; }; f 0 2>/dev/null`;
      const begun = worker.begin({ argv: ['bash', '-c', bomb], folder, timeoutSeconds: 2 });
      let most = 0;
      const isOver = begun.answer.then(() => true);
      while (!(await Promise.race([isOver, new Promise<false>((resolve) => setTimeout(() => resolve(false), 50))]))) {
        most = Math.max(most, descendants(worker.pid).length);
      }
      expect(most).toBeGreaterThan(10);
      // those that end while they are counted are counted, too
      expect(most).toBeLessThan(2 * LIMITS.processes);
      expect(processesWith(left)).toEqual([]);
    });

    describe('of a worker with small ones', () => {
      let small: SandboxWorker;
      let own: string;
      beforeAll(async () => {
        const limits = {
          ...LIMITS,
          memoryBytes: 200_000_000,
          outputBytes: 1_000_000,
          fileBytes: 5_000_000,
          cpuSeconds: 1,
        };
        small = await startSandboxWorker(await settingsFor(uid, { limits }), { uid });
        own = await jobFolder(small, uid);
      });
      afterAll(() => small.kill());
      const bash = (script: string): Promise<Answer> => small.run({ argv: ['bash', '-c', script], folder: own });

      test('memory, of one process and of all together', async () => {
        const one = await bash('head -c 400M /dev/zero | tail -c 400M >/dev/null; echo "${PIPESTATUS[*]}"');
        expect(one.output).toMatch(/memory exhausted|cannot allocate/i);
        const hog = 'head -c 90M /dev/zero | tail -c 90M | (sleep 60; cat) >/dev/null &';
        const all = await bash(`${Array<string>(4).fill(hog).join('\n')}\nwait`);
        expect(all.end.ended).toBe('memory-limit');
      });

      test('output', async () => {
        const { end, output } = await bash('yes');
        expect([end.ended, output.length]).toEqual(['output-limit', 1_000_000]);
      });

      test('the sizes of files, on disk and in memory', async () => {
        const { end } = await bash('exec head -c 50000000 /dev/zero >big');
        expect(end).toMatchObject({ ended: 'signal', signal: 'SIGXFSZ' });
        // ulimit counts in blocks
        expect(statSync(join(own, 'big')).size).toBeLessThanOrEqual(5_001_000);
        for (const inMemory of ['/tmp', '/dev/shm', '$HOME']) {
          const fill = `for i in 1 2 3 4; do head -c 4000000 /dev/zero >${inMemory}/$i || break; done 2>&1; echo $i`;
          expect((await bash(fill)).output).toMatch(/No space left on device\n3\n$/);
        }
      });

      test('processor time', async () => {
        const { end } = await bash('while :; do :; done');
        expect(end).toMatchObject({ ended: 'signal', exitCode: null });
      });
    });

    test('the space that must stay free on the disk', async () => {
      const limits = { ...LIMITS, freeDiskBytes: 1e15 };
      const full = await startSandboxWorker(await settingsFor(uid, { limits }), { uid });
      const { end } = await full.run({ argv: ['sleep', '600'], folder: await jobFolder(full, uid) });
      expect(end.ended).toBe('disk-limit');
      await full.kill();
    });
  });

  test('shows toolchains at their own paths, and cannot be made to change them', async () => {
    const toolchain = await folderFor(uid, 'toolchain');
    await mkdir(join(toolchain, 'bin'));
    await writeFile(join(toolchain, 'bin', 'compile'), '#!/bin/sh\necho compiled with $0\n', { mode: 0o755 });
    await execa('chmod', ['-R', 'a+rX', toolchain]);
    const own = await startSandboxWorker(await settingsFor(uid, { toolchains: [toolchain] }), { uid });
    const job = await jobFolder(own, uid);
    const script = `compile; (echo x >"${toolchain}/bin/compile") 2>/dev/null || echo kept`;
    const { output } = await own.run({ argv: ['bash', '-c', script], folder: job });
    expect(output).toBe(`compiled with ${toolchain}/bin/compile\nkept\n`);
    await own.kill();
  });

  test('keeps home and temporary files between programs where it is told to', async () => {
    const kept = { home: await jobFolder(worker, uid), temporary: await jobFolder(worker, uid) };
    await run('echo 1 >~/one; echo 2 >/tmp/two', kept);
    expect((await run('cat ~/one /tmp/two; ls ~ /tmp | wc -l', kept)).output).toMatch(/^1\n2\n/);
    expect((await run('cat ~/one /tmp/two 2>/dev/null; ls -A ~ /tmp')).output).not.toMatch(/one|two/);
  });

  test('says what isolates and what does not hold', () => {
    const { kind, program, holds, missing } = worker.isolation;
    expect(kind).toBe('bubblewrap');
    expect(program).toMatch(/^bubblewrap \d/);
    expect(holds.join(' ')).toContain('no network');
    expect(missing.join(' ')).toContain('kernel');
  });
});
