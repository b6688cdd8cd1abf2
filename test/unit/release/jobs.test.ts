import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../../platform/sha256.ts';
import { createGit } from '../../../activities/git/git.ts';
import { createCommitSources } from '../../../activities/release/pipelines/commit-sources.ts';
import { unpackFiles } from '../../../activities/release/pipelines/file-archive.ts';
import { type Jobs, openJobs } from '../../support/release/jobs.ts';
import { processesWith } from '../../support/sandbox-worker.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

const SECRET = 'correct horse/battery+staple';
const KEY = '-----BEGIN THING-----\nZm9yIHRoZSB0ZXN0cw\nb2YgdGhlIHdvcmtlcg\n-----END THING-----';

let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs({
    pipelines: {
      secrets: {
        NPM_TOKEN: { valueEnv: 'TOKEN_OF_CI', repositories: ['local/acme/*'] },
        SIGNING_KEY: { valueEnv: 'KEY_OF_CI', repositories: ['local/acme/api'] },
        OTHER: { valueEnv: 'OTHER_OF_CI', repositories: ['local/other/*'] },
        MISSING: { valueEnv: 'NOT_SET', repositories: ['*/acme/api'] },
      },
      limits: { artifactBytes: 1_000_000 },
    },
    env: { TOKEN_OF_CI: SECRET, KEY_OF_CI: KEY, OTHER_OF_CI: 'the secret of another' },
  });
});
afterAll(() => jobs.close());

/** Every file below a folder as text. */
function contentsOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

test('a job that needs more outputs than a variable can have fails, and says so', async () => {
  const { jobs: ran } = await jobs.run(`
  part: {matrix: {n: [1, 2, 3, 4, 5, 6, 7]}, outputs: [BIG], steps: [{name: a, command: 'printf "BIG=%015000d\\n" 1 >> "$LONGHAUL_OUTPUT"'}]}
  whole: {needs: [part], steps: [{name: a, command: 'true'}]}
`);
  expect(ran['whole']).toMatchObject({ status: 'failed', steps: [] });
  expect(ran['whole']?.problem).toMatch(
    /^The outputs of the jobs that whole needs have 105\d{3} bytes in LONGHAUL_NEEDS, which may have 100000: /,
  );
});

describe('a checkout', () => {
  test.for([
    ['a commit that git writes for each job', 3_000_000],
    ['a commit that is copied for each job', 1],
  ] as const)('of %s is clean for git, and a job cannot change that of the next one', async ([, size]) => {
    const look = 'git diff-index --quiet HEAD; test -z "$(git status --porcelain --ignored)"; git fsck --strict';
    const spoil =
      'echo x >> file.bin; rm -r src; echo y > new; echo "[core]" >> .git/config; chmod -R 777 .git; rm .git/index';
    const { status } = await jobs.run(
      `
  first: {steps: [{name: look, command: '${look}'}, {name: spoil, command: '${spoil}'}]}
  second: {needs: [first], steps: [{name: look, command: '${look}'}, {name: spoil, command: '${spoil}'}]}
  third: {needs: [second], steps: [{name: look, command: '${look}'}]}
`,
      { 'file.bin': randomBytes(size).toString('latin1'), 'src/a': 'a', '.gitignore': 'new\n' },
    );
    expect(status).toBe('passed');
  });

  test('goes on when another job, which began it, is cancelled', async () => {
    const packed = await jobs.commit({ 'only.txt': randomBytes(8).toString('hex') });
    const place = scratchFolder();
    const sources = createCommitSources(createGit(place, process.env), jobs.blobs, join(place, 'commits'));
    const stop = new AbortController();
    const cancelled = sources.checkOut(packed, join(place, 'first'), { about: 'first', signal: stop.signal });
    const other = sources.checkOut(packed, join(place, 'second'), { about: 'second' });
    stop.abort(new Error('cancelled'));
    await expect(cancelled).rejects.toThrow('cancelled');
    await other;
    expect(existsSync(join(place, 'second', 'only.txt'))).toBe(true);
  });

  test('is kept while it is unpacked for jobs that were cancelled, however many others come', async () => {
    const packed = await jobs.commit({ 'only.txt': randomBytes(8).toString('hex') });
    const place = scratchFolder();
    let opened = 0;
    let goOn = (): void => undefined;
    const mayGoOn = new Promise<void>((resolve) => void (goOn = resolve));
    const blobs = {
      ...jobs.blobs,
      async open(digest: string) {
        if (digest === packed.pack) {
          opened++;
          await mayGoOn;
        }
        return jobs.blobs.open(digest);
      },
    };
    const sources = createCommitSources(createGit(place, process.env), blobs, join(place, 'commits'));
    const stop = new AbortController();
    const cancelled = sources.checkOut(packed, join(place, 'first'), { about: 'first', signal: stop.signal });
    await vi.waitUntil(() => opened === 1);
    stop.abort(new Error('cancelled'));
    await expect(cancelled).rejects.toThrow('cancelled');
    // more than a process keeps
    for (let other = 0; other < 20; other++) {
      const others = await jobs.commit({ 'kept.txt': randomBytes(8).toString('hex') });
      await sources.message(others, { about: `other ${other}` });
    }
    const second = sources.checkOut(packed, join(place, 'second'), { about: 'second' });
    goOn();
    await second;
    expect(readFileSync(join(place, 'second', 'only.txt'), 'utf8')).toMatch(/^[0-9a-f]{16}/);
    // unpacked once: it was neither forgotten nor removed
    expect(opened).toBe(1);
  });
});

describe('artifacts', () => {
  test('are found by the jobs that need them at the same places, with links and permissions, and tar reads them', async () => {
    const { status, jobs: ended } = await jobs.run(`
  build:
    artifacts: [dist, "!dist/**/*.map", report.txt]
    steps:
      - name: make
        command: |
          mkdir -p dist/deep
          echo built > dist/deep/app; chmod +x dist/deep/app
          echo map > dist/deep/app.map
          ln -s deep/app dist/link; ln -s /etc/passwd dist/outside; : > dist/empty
          echo secondary > report.txt; echo other > other.txt
  check:
    needs: [build]
    steps:
      - name: look
        command: |
          test -x dist/deep/app; test "$(cat dist/link)" = built; test ! -e dist/deep/app.map
          test ! -s dist/empty; test "$(cat report.txt)" = secondary; test ! -e other.txt; test "$(readlink dist/outside)" = /etc/passwd
          echo more >> dist/deep/app
  apart:
    steps: [{name: look, command: "test ! -e dist"}]
`);
    expect(status).toBe('passed');
    const { artifacts } = ended['build'] ?? {};
    expect(artifacts).toMatchObject({ files: 5 });
    expect(ended['check']?.artifacts).toBeNull();
    const folder = scratchFolder();
    const archive = join(folder, 'artifacts.tar');
    const stored = join(jobs.folder, 'blobs', 'sha256', artifacts?.digest.slice(0, 2) ?? '', artifacts?.digest ?? '');
    writeFileSync(archive, readFileSync(stored));
    expect(createHash('sha256').update(readFileSync(archive)).digest('hex')).toBe(artifacts?.digest);
    expect(execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).split('\n').filter(Boolean)).toEqual([
      'dist/deep/app',
      'dist/empty',
      'dist/link',
      'dist/outside',
      'report.txt',
    ]);
  });

  test('of equal files have the same digest; a job that fails keeps them, too', async () => {
    const job = (end: string): string => `
  build:
    artifacts: ["out/*.txt"]
    steps: [{name: make, command: 'mkdir out; echo one > out/b.txt; sleep 0.01; echo two > out/a.txt; ${end}'}]
`;
    const passed = await jobs.run(job('true'));
    const failed = await jobs.run(job('false'));
    expect(failed.status).toBe('failed');
    expect(failed.jobs['build']?.artifacts?.digest).toBe(passed.jobs['build']?.artifacts?.digest);
  });

  test.for([
    [
      'that no step made',
      "artifacts: [dist]\n    steps: [{name: s, command: 'true'}]",
      'artifacts: no file matches dist',
    ],
    [
      'above the limit',
      "artifacts: [big]\n    steps: [{name: s, command: 'head -c 2000000 /dev/zero > big'}]",
      'artifacts have 2000000 bytes, more than the limit of 1000000.',
    ],
    [
      'with a secret',
      `artifacts: [out]\n    secrets: [NPM_TOKEN]\n    steps: [{name: s, command: 'head -c 100000 /dev/zero > out; printf "%s" "$NPM_TOKEN" | base64 >> out'}]`,
      'artifacts: out contains a secret, so nothing is kept.',
    ],
  ] as const)('%s let the job fail', async ([, job, problem]) => {
    const { status, jobs: ended } = await jobs.run(`\n  build:\n    ${job}\n`);
    expect(status).toBe('failed');
    expect(ended['build']).toMatchObject({ status: 'failed', artifacts: null, problem, steps: [{ exitCode: 0 }] });
    expect(ended['build']?.text).toContain(problem);
  });

  test('are not written through links of a commit, nor over its repository', async () => {
    const made = await jobs.run(`
  build:
    artifacts: [a]
    steps: [{name: make, command: 'mkdir a; echo x > a/file'}]
`);
    const digest = made.jobs['build']?.artifacts?.digest ?? '';
    const folder = scratchFolder();
    const outside = scratchFolder();
    execFileSync('ln', ['-s', outside, join(folder, 'a')]);
    await expect(unpackFiles(jobs.blobs, digest, folder)).rejects.toThrow('"a/file", which does not belong');
    expect(readdirSync(outside)).toEqual([]);

    for (const [name, options] of [
      ['../x', ['--transform=s|^x|../x|', '-P']],
      ['/tmp/x', ['--transform=s|^x|/tmp/x|', '-P']],
      ['.git/x', ['--transform=s|^x|.git/x|']],
    ] as const) {
      const evil = scratchFolder();
      writeFileSync(join(evil, 'x'), 'evil');
      execFileSync('tar', ['-cf', 'evil.tar', ...options, 'x'], { cwd: evil });
      const { digest: bad } = await jobs.blobs.put([readFileSync(join(evil, 'evil.tar'))].values() as never);
      const target = scratchFolder();
      mkdirSync(join(target, '.git'));
      await expect(unpackFiles(jobs.blobs, bad, target)).rejects.toThrow(`"${name}", which does not belong`);
      expect(readdirSync(target, { recursive: true })).toEqual(['.git']);
    }
  });
});

describe('secrets', () => {
  test('are variables of the job that names them, and are in no stored byte of it', async () => {
    const { status, jobs: ended } = await jobs.run(`
  publish:
    secrets: [NPM_TOKEN, SIGNING_KEY]
    outputs: [LEAK]
    steps:
      - name: leak
        command: |
          test "$(printf '%s' "$NPM_TOKEN" | sha256sum)" = '${sha256(SECRET)}  -'
          echo "literal $NPM_TOKEN end"
          printf 'user:%s' "$NPM_TOKEN" | base64
          printf 'x%s' "$NPM_TOKEN" | base64 | tr '+/' '-_'
          printf '%s' "$SIGNING_KEY" | base64 -w 20
          echo "$SIGNING_KEY" | sed 's/^/  > /'
          encoded="\${NPM_TOKEN//+/%2b}"; encoded="\${encoded//\\//%2F}"
          echo "https://host/?t=\${encoded// /%20}&u=\${encoded// /+}"
          for at in 0 5 10 15 20 25; do printf '%s' "\${NPM_TOKEN:at:5}"; sleep 0.05; done; echo
          printf '{"t":"%s"}\\n' "\${NPM_TOKEN//\\//\\\\/}"
          echo "LEAK=$NPM_TOKEN" >> "$LONGHAUL_OUTPUT"
  other:
    steps: [{name: look, command: 'test -z "\${NPM_TOKEN:-}" && ! env | grep -q OF_CI'}]
`);
    expect(ended['publish']?.text).toContain('literal [redacted] end\n');
    expect(status).toBe('passed');
    expect(ended['publish']?.outputs).toEqual({ LEAK: '[redacted]' });
    const lines = ended['publish']?.text ?? '';
    expect(lines.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(12);
    const stored = contentsOf(join(jobs.folder, 'blobs'));
    for (const secret of [SECRET, ...KEY.split('\n').slice(1, 3)]) {
      const bytes = Buffer.from(secret);
      const encoded = [0, 1, 2].map((before) =>
        Buffer.concat([Buffer.alloc(before), bytes])
          .toString('base64')
          .slice(4, -4),
      );
      const forms = [secret, encodeURIComponent(secret), ...encoded];
      expect(forms.filter((form) => stored.includes(form))).toEqual([]);
    }
  });

  test.for([
    ['OTHER', 'SecretNotAllowed', 'The secret OTHER is not allowed for local/acme/api.'],
    ['UNKNOWN', 'SecretNotAllowed', 'The secret UNKNOWN is not allowed for local/acme/api.'],
    [
      'MISSING',
      'InvalidConfiguration',
      'pipelines.secrets.MISSING: this worker has no value for it: set NOT_SET in its environment.',
    ],
  ] as const)('%s is refused before a job runs', async ([name, type, message]) => {
    const run = jobs.run(`\n  a:\n    secrets: [${name}]\n    steps: [{name: s, command: 'true'}]\n`);
    await expect(run).rejects.toMatchObject({ type, message });
  });

  test('that are too short to be found in a log are refused when the worker starts', async () => {
    const pipelines = { secrets: { PIN: { valueEnv: 'PIN_OF_CI', repositories: ['local/*'] } } };
    await expect(openJobs({ pipelines, env: { PIN_OF_CI: '1234' } })).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining('the value of PIN_OF_CI has 4 characters') as string,
    });
  });
});

describe('caches', () => {
  const job = (seen: string): string => `
  build:
    cache: [{key: [lock.json], paths: [made]}]
    steps:
      - name: make
        command: 'if test -e made/by; then cat made/by; else echo nothing; mkdir made; echo "${seen}" > made/by; ln -s by made/link; fi'
`;
  const seen = async (
    content: string,
    lock: string,
    branch: string,
    { isProtected = !['feature', 'other'].includes(branch), end = '' } = {},
  ): Promise<string | undefined> => {
    const { jobs: ended } = await jobs.run(job(content) + end, { 'lock.json': lock }, { branch, isProtected });
    return ended['build']?.text.split('\n')[1];
  };

  test('are found by their key, and a protected branch has none of another branch', async () => {
    expect(await seen('evil', 'one', 'feature')).toBe('nothing');
    expect(await seen('x', 'one', 'feature')).toBe('evil');
    expect(await seen('x', 'two', 'feature')).toBe('nothing');
    // a person may say that a commit is of a protected branch, which does not have it
    expect(await seen('evil', 'one', 'main', { isProtected: false })).toBe('nothing');
    expect(await seen('good', 'one', 'main')).toBe('nothing');
    expect(await seen('x', 'one', 'main')).toBe('good');
    expect(await seen('x', 'one', 'release/9')).toBe('good');
    expect(await seen('x', 'one', 'other')).toBe('good');
    expect(await seen('x', 'one', 'feature')).toBe('evil');
  });

  test('of a job that failed are not saved', async () => {
    const failing = "      - {name: fail, command: 'false'}\n";
    expect(await seen('bad', 'three', 'main', { end: failing })).toBe('nothing');
    expect(await seen('good', 'three', 'main')).toBe('nothing');
  });

  test('that are damaged or gone are made again', async () => {
    expect(await seen('first', 'four', 'main')).toBe('nothing');
    for await (const record of jobs.blobs.listRecords('caches/')) {
      const digest = Buffer.from((await jobs.blobs.getRecord(record)) ?? []).toString('utf8');
      await jobs.blobs.delete(digest);
    }
    expect(await seen('second', 'four', 'main')).toBe('nothing');
    expect(await seen('x', 'four', 'main')).toBe('second');
  });

  test('without a file for their key let the job fail', async () => {
    const { jobs: ended } = await jobs.run(
      "\n  a:\n    cache: [{key: [no-lock], paths: [x]}]\n    steps: [{name: s, command: 'true'}]\n",
    );
    expect(ended['a']).toMatchObject({
      status: 'failed',
      steps: [],
      problem: 'cache: no file matches the key no-lock.',
    });
  });
});

describe('services', () => {
  const SERVER = `'exec python3 -u -m http.server 8080 --bind 127.0.0.1 --directory pages'`;
  const READY = "{command: 'exec 3<>/dev/tcp/127.0.0.1/8080', timeout: 60s}";

  test('are ready when the steps start, reachable by them alone, and gone when they end', async () => {
    const { status, jobs: ended } = await jobs.run(
      `
  test:
    services:
      web: {command: ${SERVER}, ready: ${READY}}
    steps:
      - name: ask
        command: |
          python3 -c 'import urllib.request as r; print(r.urlopen("http://127.0.0.1:8080/hello.txt").read().decode())'
          ! (exec 3<>/dev/tcp/1.1.1.1/80) 2>/dev/null
  other:
    needs: [test]
    steps: [{name: ask, command: '! (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null'}]
`,
      { 'pages/hello.txt': 'hello from the service' },
    );
    expect(ended['test']?.text).toContain('hello from the service');
    expect(status).toBe('passed');
    expect(processesWith('http.server 8080'.replaceAll(' ', '\0'))).toEqual([]);
  });

  test.for([
    [
      'ends before',
      "{command: 'echo no such luck; exit 3', ready: {command: 'false', timeout: 60s}}",
      'The service web ended before it was ready.',
    ],
    [
      'is not ready in time',
      "{command: 'echo no such luck; sleep 60', ready: {command: 'false', timeout: 1s}}",
      'The service web was not ready after 1 seconds.',
    ],
  ] as const)('that %s lets the job fail, with the end of its output in the log', async ([, service, problem]) => {
    const { status, jobs: ended } = await jobs.run(
      `\n  test:\n    services: {web: ${service}}\n    steps: [{name: s, command: 'true'}]\n`,
    );
    expect(status).toBe('failed');
    expect(ended['test']).toMatchObject({ status: 'failed', steps: [], problem });
    expect(ended['test']?.text).toContain('no such luck');
  });

  test('and the network of the machine exclude each other', async () => {
    const run = jobs.run(
      `\n  test:\n    network: true\n    services: {web: {run: [x], ready: {run: [x]}}}\n    steps: [{name: s, command: 'true'}]\n`,
    );
    await expect(run).rejects.toThrow('a job with services has a network of its own');
  });
});

describe('a saboteur', () => {
  test('that fills the disk is ended, and fails its job', async () => {
    const small = await openJobs({ pipelines: { limits: { freeDiskBytes: Number.MAX_SAFE_INTEGER } } });
    try {
      const { status, jobs: ended } = await small.run(
        "\n  a:\n    steps: [{name: fill, command: 'echo PASS; sleep 60'}, {name: next, command: 'true'}]\n",
      );
      expect(status).toBe('failed');
      expect(ended['a']?.steps).toMatchObject([{ name: 'fill', exitCode: null, ended: 'disk-limit' }]);
    } finally {
      await small.close();
    }
  });

  test('that forks away, ignores SIGTERM and starts new sessions has no process after the cancellation', async () => {
    const mark = `86${process.pid}.77`;
    const abort = new AbortController();
    const run = jobs.run(
      `
  a:
    services: {web: {command: 'trap "" TERM; setsid sleep ${mark} & wait', ready: {command: 'true'}}}
    steps:
      - name: escape
        command: |
          trap '' TERM
          for at in 1 2 3; do (setsid bash -c 'trap "" TERM; (setsid sleep ${mark} &) ; sleep ${mark}' &); done
          echo started; sleep ${mark}
`,
      {},
      {
        signal: abort.signal,
        onTail: (details) => {
          if ((details as { tail?: string } | undefined)?.tail?.includes('started')) abort.abort();
        },
      },
    );
    await expect(run).rejects.toThrow(/cancel/i);
    expect(processesWith(mark)).toEqual([]);
  });
});

test('a job says when it started', async () => {
  const before = Date.now();
  const { jobs: ended } = await jobs.run("\n  a:\n    steps: [{name: s, command: 'true'}]\n");
  const at = Date.parse(ended['a']?.startedAt ?? '');
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at + (ended['a']?.durationMs ?? 0)).toBeLessThanOrEqual(Date.now() + 1);
  expect(statSync(join(jobs.folder, 'scratch')).isDirectory()).toBe(true);
});
