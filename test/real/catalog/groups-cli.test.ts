import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { groupScheduleId } from '../../../domain/catalog/flows/group-flows.ts';
import type { SyncGroup } from '../../../domain/catalog/groups/sync-groups.ts';
import { git } from '../../../examples/git.ts';
import type { FleetReport } from '../../../client/catalog/fleet-view.ts';
import { openBrowser } from '../../support/browser.ts';
import { commandEnv, longhaul, longhaulProcess } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { sourceOf } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { startWorkerHere, type WorkerHere } from '../../support/catalog/worker-here.ts';

const DECLARED = `version: 1
groups:
  - name: services
    description: What customers see.
    schedule: "0 3 * * *"
    patterns: ["acme/api", "acme/web"]
  - name: tools
    schedule: "30 3 * * *"
    patterns: ["acme/t*"]
    paused: true
`;

describe('longhaul config apply and groups', () => {
  let estate: Estate;
  let worker: WorkerHere;
  let env: Record<string, string>;
  let file: string;
  beforeAll(async () => {
    estate = await createEstate();
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    await estate.create('acme/tool', { 'a.ts': sourceOf('workflows/shared/input.ts') });
    worker = await startWorkerHere(estate);
    env = { ...commandEnv(estate), USER: 'alice' };
    file = join(dirname(estate.configPath), 'sync-groups.yaml');
    await writeFile(file, DECLARED);
  });
  afterAll(async () => {
    await writeFile(file, 'version: 1\ngroups: []\n');
    await longhaul(env, ['config', 'apply', '--file', file, '--prune']);
    await worker.stop();
    await estate.dispose();
  });

  async function json<Value>(...args: string[]): Promise<Value> {
    const { exitCode, stdout, stderr } = await longhaul(env, [...args, '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return JSON.parse(stdout) as Value;
  }

  test('a dry run prints the changes and makes none', async () => {
    const { exitCode, stdout } = await longhaulProcess(env, ['config', 'apply', '--file', file, '--dry-run']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'created services\ncreated tools\n2 of 2 groups.\n' });
    expect(await json('groups', 'list')).toEqual([]);
  });

  test('an invalid file is reported with a line for each problem', async () => {
    const wrong = join(dirname(file), 'wrong.yaml');
    await writeFile(wrong, 'version: 1\ngroups:\n  - name: a\n    schedul: "0 * * * *"\n    patterns: [b]\n');
    const { exitCode, stderr } = await longhaul(env, ['config', 'apply', '--file', wrong]);
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      `longhaul: ${wrong}:3: schedule is missing.`,
      `${wrong}:4: unknown key "schedul"; did you mean "schedule"?`,
    ]);
    expect(exitCode).toBe(2);
  });

  test('applying reports the changes, and the commit of the file', async () => {
    const folder = dirname(file);
    await git(['-C', folder, 'init', '--quiet']);
    await git(['-C', folder, 'add', 'sync-groups.yaml']);
    await git(['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message', 'groups']);
    const commit = await git(['-C', folder, 'rev-parse', 'HEAD']);
    expect(await json('config', 'apply', '--file', file)).toMatchObject({
      workflowId: 'sync-groups',
      changes: [
        { kind: 'created', name: 'services' },
        { kind: 'created', name: 'tools' },
      ],
      source: { file, commit, by: 'alice' },
    });
    const { stdout } = await longhaul(env, ['config', 'apply', '--file', file]);
    expect(stdout).toBe('unchanged services\nunchanged tools\nNothing changes.\n');
  });

  test('applied groups are completed in a shell', async () => {
    const complete = (): Promise<{ stdout: string }> => longhaul(env, ['complete', '--', 'groups', 'show', '']);
    await expect.poll(async () => (await complete()).stdout.split('\n').sort()).toEqual(['', 'services', 'tools']);
  });

  test('nothing that the folder of the file configures is run', async () => {
    const folder = dirname(file);
    const trace = join(folder, 'was-run');
    const hostile = `touch ${trace}`;
    const settings = { 'core.fsmonitor': hostile, 'filter.x.clean': hostile, 'gpg.program': hostile };
    for (const [name, value] of Object.entries(settings)) await git(['-C', folder, 'config', name, value]);
    await git(['-C', folder, 'config', 'log.showSignature', 'true']);
    await writeFile(join(folder, '.git/info/attributes'), '* filter=x\n');
    const commit = await git(['-C', folder, 'rev-parse', 'HEAD']);
    // what git itself does there
    await git(['-C', folder, 'status', '--porcelain']);
    expect(existsSync(trace)).toBe(true);
    await rm(trace);
    const args = ['config', 'apply', '--file', file];
    expect(await json(...args)).toMatchObject({ source: { commit } });
    expect(existsSync(trace)).toBe(false);
    for (const name of [...Object.keys(settings), 'log.showSignature']) {
      await git(['-C', folder, 'config', '--unset', name]);
    }
    await rm(join(folder, '.git/info/attributes'));
  });

  test('a file that differs from its commit has none', async () => {
    await writeFile(file, DECLARED.replace('What customers see.', 'What customers use.'));
    expect(await json('config', 'apply', '--file', file)).toMatchObject({
      changes: [{ kind: 'changed', name: 'services', fields: [{ field: 'description' }] }, { kind: 'unchanged' }],
      source: { commit: null },
    });
  });

  test('every application is recorded, with its author', async () => {
    const history = await json<{ source: object; changes: { kind: string }[] }[]>('groups', 'history');
    expect(history.map(({ changes }) => changes.map(({ kind }) => kind))).toEqual([
      ['created', 'created'],
      ['changed', 'unchanged'],
    ]);
    const { stdout } = await longhaul(env, ['groups', 'history']);
    expect(stdout).toMatch(/alice .* created services, created tools/);
  });

  test('groups run manually, all or those that are due, and are listed with their results', async () => {
    expect(await json('sync', '--group', 'services')).toMatchObject({
      groups: [{ group: 'services', matched: 1, failed: 0 }],
    });
    expect(await json('sync', '--due')).toEqual({ groups: [] });
    expect(await json('groups', 'run', 'tools')).toMatchObject({ groups: [{ group: 'tools', succeeded: 1 }] });
    expect(await json('sync', '--all')).toMatchObject({ groups: [{ group: 'services' }, { group: 'tools' }] });
    const { stdout } = await longhaul(env, ['groups', 'list']);
    expect(stdout).toMatch(/services .*0 3 \* \* \* UTC .* active .*03:00 UTC.*1 matched, 0 synced, 0 failed, 0 files/);
    expect(stdout).toMatch(/tools .* paused /);
  });

  test('the fleet at a glance, and as a page', async () => {
    const { fleet } = await json<{ fleet: FleetReport }>('status');
    expect(fleet.repositories.map(({ repository, state }) => [repository, state])).toEqual([
      ['local/acme/api', 'complete'],
      ['local/acme/tool', 'complete'],
    ]);
    expect(fleet.groups).toMatchObject([
      { group: { name: 'services' }, latest: { status: 'COMPLETED', result: { matched: 1, failed: 0 } } },
      { group: { name: 'tools' }, isPaused: true },
    ]);
    expect(fleet.groups[0]?.completeAt).toBe(fleet.groups[0]?.latest?.startedAt);
    const { stdout, exitCode } = await longhaul(env, ['status']);
    expect(stdout).toMatch(/^2 repositories indexed, 0 unfinished, 0 failing\n\ngroup +state/);
    expect(exitCode).toBe(0);

    const page = join(dirname(file), 'pages', 'fleet.html');
    expect(await longhaul(env, ['report', 'fleet', '--output', page])).toMatchObject({
      exitCode: 0,
      stdout: `${page}\n`,
    });
    const browser = await openBrowser();
    try {
      const tab = await browser.newPage();
      const loaded: string[] = [];
      const complaints: string[] = [];
      tab.on('request', (request) => loaded.push(request.url()));
      tab.on('console', (message) => complaints.push(message.text()));
      await tab.goto(pathToFileURL(page).href);
      expect(await tab.locator('figure').count()).toBe(4);
      expect(await tab.locator('figure', { hasText: 'Seconds a run' }).locator('rect:visible').count()).toBe(
        fleet.runs.length,
      );
      expect(await tab.locator('tr', { hasText: 'local/acme/api' }).count()).toBe(1);
      expect(await tab.locator('tr', { hasText: 'services' }).first().innerText()).toContain('active');
      expect({ loaded, complaints }).toEqual({ loaded: [pathToFileURL(page).href], complaints: [] });
    } finally {
      await browser.close();
    }
  });

  test('a group is paused and resumed, with a note of who did it', async () => {
    expect((await longhaul(env, ['groups', 'pause', 'services', '--note', 'moving house'])).exitCode).toBe(0);
    const paused = await longhaul(env, ['groups', 'show', 'services']);
    expect(paused.stdout).toMatch(/state .* paused manually /);
    expect(paused.stdout).toMatch(/note .* moving house /);
    expect((await longhaul(env, ['groups', 'resume', 'services'])).exitCode).toBe(0);
    expect(await json('groups', 'show', 'services')).toMatchObject({ isPaused: false, note: 'resumed by alice' });
  });

  test('a backfill starts the runs that were due in a time span', async () => {
    const { exitCode } = await longhaul(env, [
      'groups',
      'backfill',
      'services',
      '--from',
      '2026-01-01T00:00:00Z',
      '--to',
      '2026-01-03T00:00:00Z',
    ]);
    expect(exitCode).toBe(0);
    const last = async (): Promise<string | undefined> =>
      (await json<{ lastRun?: { workflowId: string } }>('groups', 'show', 'services')).lastRun?.workflowId;
    await expect.poll(last, { timeout: 30_000 }).toContain('2026-01-02T03:00:00Z');
  });

  test('a group whose run fails does not stop the others, and each is reported', async () => {
    const connection = await Connection.connect({ address: inject('stack').temporalAddress });
    onTestFinished(() => connection.close());
    const { schedule } = new Client({ connection, namespace: NAMESPACE });
    const handle = schedule.getHandle(groupScheduleId(estate.indexName, 'services'));
    // a run that goes on would be joined
    const running = async (): Promise<unknown> => (await handle.describe()).info.runningActions;
    await expect.poll(running, { timeout: 60_000 }).toEqual([]);
    await handle.update(({ action, ...rest }) => ({
      ...rest,
      action: { ...action, args: [{ ...(action.args?.[0] as SyncGroup), parallel: 0 }] },
    }));
    // the server answers before the schedule has the change
    const parallel = async (): Promise<unknown> => {
      const { action } = await handle.describe();
      return (action.args?.[0] as SyncGroup | undefined)?.parallel;
    };
    await expect.poll(parallel, { timeout: 60_000 }).toBe(0);
    const { exitCode, stdout } = await longhaul(env, ['sync', '--all', '--parallel', '1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      groups: [
        {
          group: 'services',
          workflowId: expect.stringContaining('/services') as string,
          error: { type: 'InvalidInput' },
        },
        { group: 'tools', matched: 1, failed: 0 },
      ],
    });
    expect(exitCode).toBe(2);
    const shown = await longhaul(env, ['sync', '--all', '--parallel', '1']);
    expect(shown.stderr).toMatch(/^services: InvalidInput: .*parallel/m);
    expect(shown.stdout).toMatch(/^tools: 1 matched/m);
    expect(shown.exitCode).toBe(2);
  });

  test.each([
    [['groups', 'show', 'nobody'], 'There is no sync group "nobody"'],
    [['groups', 'pause', 'nobody'], 'There is no sync group "nobody"'],
    [['sync', '--group', 'nobody'], 'There is no sync group "nobody"'],
    [['sync', '--all', '--due'], 'Give one of --all, --due, --group and --pattern.'],
    [['groups', 'backfill', 'services', '--from', 'yesterday'], '--from: "yesterday" is not a valid time'],
    [['groups', 'backfill', 'services', '--from', '2026-01-02', '--to', '2026-01-01'], '--from must be earlier'],
    [['config', 'apply', '--file', '/nowhere.yaml'], '--file: there is no file /nowhere.yaml.'],
  ])('%j is refused', async (args, message) => {
    const { exitCode, stderr } = await longhaul(env, args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});
