import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Jobs, openJobs } from '../../../support/release/jobs.ts';
import { DEPLOYMENT, refusedTo, runHookOf, type RunOfHook } from '../../../support/release/deployment-programs.ts';

const SECRET = 'swordfish-in-the-hall-1948';

let jobs: Jobs;
beforeAll(async () => {
  jobs = await openJobs({
    pipelines: {
      limits: { processes: 64 },
      secrets: {
        DB_URL: { valueEnv: 'SHOP_DB', repositories: ['local/acme/*'] },
        OTHER: { valueEnv: 'SHOP_DB', repositories: ['local/other/*'] },
      },
    },
    env: { SHOP_DB: SECRET },
  });
});
afterAll(() => jobs.close());

/** A hook `migrate` without a network that runs this script. */
function script(text: string, more = ''): RunOfHook {
  return { hook: `{name: migrate, run: [bash, hook.sh], network: false${more}}`, files: { 'hook.sh': text } };
}

/** What running programs have left on the disk. */
function checkouts(): readonly string[] {
  return readdirSync(join(jobs.folder, 'scratch')).filter((name) => name.includes('hook'));
}

describe('a hook', () => {
  test('runs in a clean checkout of the commit, and knows what it is run for', async () => {
    const run = script('env | grep ^LONGHAUL | sort; cat data; echo changed >data');
    const files = { ...run.files, data: 'as committed\n' };
    for (let attempt = 0; attempt < 2; attempt++) {
      const { text, said, seconds, ...ended } = await runHookOf(jobs, { ...run, files });
      expect(ended).toMatchObject({ ok: true, exitCode: 0, ended: null });
      const variables = [
        'LONGHAUL=true',
        expect.stringMatching(/^LONGHAUL_COMMIT=[0-9a-f]{40}$/),
        `LONGHAUL_DEPLOYMENT=${DEPLOYMENT}`,
        'LONGHAUL_ENVIRONMENT=staging',
        'LONGHAUL_REPOSITORY=local/acme/api',
        'LONGHAUL_SERVICE=api',
      ];
      expect(text.split('\n')).toEqual([...variables, 'as committed', '']);
      expect(said).toBe(text.trim());
      expect(seconds).toBeGreaterThan(0);
    }
    expect(checkouts()).toEqual([]);
  });

  test('is taken back by its down step', async () => {
    const hook = '{name: migrate, run: [echo, up], down: {command: "echo down; exit 4"}, network: false}';
    expect(await runHookOf(jobs, { hook })).toMatchObject({ ok: true, text: 'up\n' });
    const down = await runHookOf(jobs, { hook, direction: 'down' });
    expect(down).toMatchObject({ ok: false, exitCode: 4, ended: null, text: 'down\n', said: 'down' });
  });

  test.each([
    ['exits', 'echo no table >&2; exit 3', { exitCode: 3, ended: null, said: 'no table' }],
    ['is no program', 'exec no-such-program', { exitCode: 127, ended: null }],
    ['is ended by a signal', 'kill -KILL $$', { ended: 'SIGKILL' }],
    ['takes too long', 'echo waiting; sleep 60', { exitCode: null, ended: 'timeout', said: 'waiting' }],
  ])('whose program fails is a result: it %s', async (_what, text, expected) => {
    expect(await runHookOf(jobs, script(text, ', timeout: 3s'))).toMatchObject({ ok: false, ...expected });
  });

  test.each<[string, RunOfHook, string, string]>([
    ['another name', { ...script('true'), name: 'other' }, 'InvalidInput', 'has no hook other in hooks.before'],
    ['no down step', { ...script('true'), direction: 'down' }, 'InvalidInput', 'has no down step'],
    ['a network', { hook: '{name: migrate, run: [ls]}' }, 'NetworkNotAllowed', 'network'],
    ['another secret', script('true', ', secrets: [OTHER]'), 'SecretNotAllowed', 'OTHER is not allowed'],
    ['no such secret', script('true', ', secrets: [NONE]'), 'SecretNotAllowed', 'NONE is not allowed'],
  ])('is refused before it starts: %s', async (_what, run, type, message) => {
    const refused = expect.stringContaining(message) as string;
    await expect(runHookOf(jobs, run)).rejects.toMatchObject({ type, message: refused });
    expect(checkouts()).toEqual([]);
  });

  test('is ended when the deployment is cancelled; meanwhile its heartbeats show what it says', async () => {
    const stop = new AbortController();
    const heartbeats: unknown[] = [];
    const file = join(jobs.folder, 'never');
    const running = runHookOf(jobs, {
      ...script(`echo begun; sleep 300; touch ${file}`),
      signal: stop.signal,
      onHeartbeat: (details) => void heartbeats.push(details),
    });
    const ended = running.catch((error: unknown) => String(error));
    await vi.waitUntil(() => JSON.stringify(heartbeats).includes('begun'), { timeout: 60_000 });
    stop.abort();
    expect(await ended).toMatch(/cancel/i);
    expect(checkouts()).toEqual([]);
  });
});

describe('a hostile hook', () => {
  test('does not get its secrets into the log or the result, in no spelling', async () => {
    const { ok, text, said } = await runHookOf(
      jobs,
      script(
        `echo "url $DB_URL"; echo "$DB_URL" | base64; printf 'a:%s' "$DB_URL" | base64; echo "$DB_URL" | base64 | fold -w 9
printf '%s' "$DB_URL" | sed 's/-/%2D/g'; echo; for part in \${DB_URL:0:9} \${DB_URL:9}; do printf %s "$part"; sleep 0.3; done; echo; echo done`,
        ', secrets: [DB_URL]',
      ),
    );
    expect(ok).toBe(true);
    expect(text).toContain('url [redacted]');
    expect(text).toContain('done');
    for (const shown of [text, said]) {
      const plain = shown.replaceAll('\n', '');
      expect(plain).not.toContain('swordfish');
      for (const before of ['', 'a:', 'ab:']) {
        const middle = Buffer.from(`${before}${SECRET}`).toString('base64').slice(6, 24);
        expect(plain).not.toContain(middle);
      }
    }
  });

  test('that asks for what this worker would refuse it is known before it runs', async () => {
    const hooks = (more: string): string => `hooks: {before: [{name: migrate, run: ['true']${more}}]}`;
    expect(await refusedTo(jobs, hooks(', network: false, secrets: [DB_URL]'))).toEqual([]);
    expect(await refusedTo(jobs, hooks(', secrets: [OTHER, NONE]'))).toEqual([
      'The hook migrate of api asks for a network, and the worker allows none: set network: false there, or pipelines.network.',
      'The hook migrate of api: The secret OTHER is not allowed for local/acme/api.',
      'The hook migrate of api: The secret NONE is not allowed for local/acme/api.',
    ]);
    const checks = "health: [{name: web, http: 'http://api'}, {name: own, run: ['true']}]";
    expect(await refusedTo(jobs, checks)).toEqual([
      'The health check own of api asks for a network, and the worker allows none: set network: false there, or pipelines.network.',
    ]);
  });

  test('gets no other secret and no variable of the worker', async () => {
    expect((await runHookOf(jobs, script('env'))).text).not.toMatch(/SHOP_DB|DB_URL|swordfish/);
  });

  test('that replaces its files with links leads nothing of this machine into a result, and loses none of it', async () => {
    const target = join(jobs.folder, 'target');
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'kept'), 'of this machine');
    const swap = `for each in .git .longhaul k8s data; do rm -rf $each; ln -s ${target} $each; done; cat data/kept; ls -l; rm -rf data/kept; true`;
    const { ok, text } = await runHookOf(jobs, { ...script(swap), files: { 'hook.sh': swap, 'k8s/a.yaml': 'a: 1' } });
    expect(ok).toBe(true);
    expect(text).not.toContain('of this machine');
    expect(readFileSync(join(target, 'kept'), 'utf8')).toBe('of this machine');
    expect(checkouts()).toEqual([]);
  });

  test('that forks leaves no process, and cannot start as many as it likes', async () => {
    const mark = `sleep 4242.${process.pid}`;
    const daemon = await runHookOf(jobs, script(`(setsid ${mark} &) >/dev/null 2>&1; echo left`));
    expect(daemon).toMatchObject({ ok: true, said: 'left' });
    const bomb = await runHookOf(jobs, script(`for i in $(seq 200); do ${mark} & done`, ', timeout: 3s'));
    expect(bomb.ok).toBe(false);
    expect(bomb.text).toContain('Resource temporarily unavailable');
    const { stdout } = await execa('ps', ['-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line === mark)).toEqual([]);
    expect(checkouts()).toEqual([]);
  });
});
