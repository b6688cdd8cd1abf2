import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { createGroupActivities } from '../../../activities/catalog/groups.ts';
import { createGroupSchedules } from '../../../activities/catalog/groups/schedules.ts';
import { parseSyncGroups } from '../../../activities/catalog/groups/sync-groups-file.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { ApplySyncGroupsResult, SyncGroup } from '../../../domain/catalog/groups/sync-groups.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { groupScheduleId } from '../../../domain/catalog/flows/group-flows.ts';
import { type FlowsFixture, sourceOf, test } from '../../support/catalog/flows.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const source = { file: 'sync-groups.yaml', commit: null, by: 'alice' };
const NIGHTLY = '0 3 * * *';

/** A declaration of groups, each with a schedule that is not due during the test. */
function declare(groups: readonly Record<string, unknown>[]): string {
  return JSON.stringify({ version: 1, groups: groups.map((group) => ({ schedule: NIGHTLY, ...group })) });
}

async function apply(
  { client }: FlowsFixture,
  document: string,
  options: { readonly prune?: boolean } = {},
): Promise<ApplySyncGroupsResult> {
  return (await startFlow(client, 'applySyncGroups', { document, source, ...options })).result();
}

function kindsOf({ changes }: ApplySyncGroupsResult): Record<string, string> {
  return Object.fromEntries(changes.map(({ name, kind }) => [name, kind]));
}

/** Waits for the latest run of a group and returns its result. */
async function lastResult({ client, tools, started }: FlowsFixture, name: string): Promise<CatalogFleetResult> {
  const schedules = createGroupSchedules(client, tools.indexName);
  const [group] = await schedules.find([name]);
  const workflowId = group?.lastRun?.workflowId ?? '';
  const handle = client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  started.push([workflowId, runId]);
  return (await handle.result()) as CatalogFleetResult;
}

/** Removes the schedules of a test. */
async function withoutSchedules(flows: FlowsFixture, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await apply(flows, declare([]), { prune: true });
  }
}

describe('sync groups', () => {
  test('concurrent declarations are all applied, one after another', async ({ flows }) => {
    const named = (name: string): string => declare([{ name, patterns: [`nobody/${name}`], paused: true }]);
    await withoutSchedules(flows, async () => {
      const once = startFlow(
        flows.client,
        'applySyncGroups',
        { document: named('third'), source },
        { once: randomUUID() },
      );
      const results = await Promise.all([
        apply(flows, named('first')),
        apply(flows, named('second')),
        once.then((run) => run.result()),
      ]);
      expect(
        results.map(({ changes }) => changes.filter(({ kind }) => kind === 'created').map(({ name }) => name)),
      ).toEqual([['first'], ['second'], ['third']]);
    });
  });

  test('a declared group runs, onboards its repositories, and syncs them in the next run', async ({ flows }) => {
    const { estate, tools, client } = flows;
    await estate.create('acme/api', { 'a.ts': sourceOf('workflows/shared/lanes.ts') });
    await estate.create('acme/web', { 'a.ts': sourceOf('workflows/shared/patience.ts') });
    await estate.create('acme/old', { 'a.ts': 'let left: number;\n' });
    const document = declare([{ name: 'services', patterns: ['acme/*'], exclude: ['acme/old'], priority: 1 }]);
    await withoutSchedules(flows, async () => {
      expect(kindsOf(await apply(flows, document))).toEqual({ services: 'created' });
      expect(await lastResult(flows, 'services')).toMatchObject({ matched: 2, succeeded: 2, failed: 0 });
      expect((await tools.store.receipts()).map(({ repository }) => repository)).toEqual([
        'local/acme/api',
        'local/acme/web',
      ]);

      const commit = await estate.commit('acme/api', { 'b.ts': sourceOf('workflows/shared/input.ts') });
      await estate.create('acme/new', { 'a.ts': sourceOf('workflows/shared/failure.ts') });
      const schedules = createGroupSchedules(client, tools.indexName);
      await schedules.run('services');
      expect(await lastResult(flows, 'services')).toMatchObject({ matched: 3, succeeded: 2, skipped: 1, failed: 0 });
      expect(await tools.store.readReceipt('local/acme/api')).toMatchObject({ commit, pending: null });
      expect(await tools.store.readReceipt('local/acme/new')).toMatchObject({ pending: null });

      const [group] = await schedules.list();
      expect(group).toMatchObject({
        group: { name: 'services', schedule: NIGHTLY, patterns: ['acme/*'] },
        applied: { by: 'alice', file: 'sync-groups.yaml', commit: null },
        isPaused: false,
        missed: 0,
        skipped: 0,
      });
      expect(new Date(group?.nextRun ?? 0).getUTCHours()).toBe(3);
    });
  });

  test('every run has the priority of its group', async ({ flows }) => {
    const { estate, tools, client } = flows;
    await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
    await withoutSchedules(flows, async () => {
      await apply(flows, declare([{ name: 'first', patterns: ['acme/*'], priority: 1 }]));
      const [group] = await createGroupSchedules(client, tools.indexName).list();
      await lastResult(flows, 'first');
      const description = await client.workflow.getHandle(group?.lastRun?.workflowId ?? '').describe();
      expect(description.priority).toMatchObject({ priorityKey: 1, fairnessKey: 'first' });
    });
  });

  test('applying the same file twice changes nothing; undeclared groups stay until they are pruned', async ({
    flows,
  }) => {
    const { estate, client, tools } = flows;
    await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
    const both = declare([
      { name: 'one', patterns: ['acme/api'] },
      { name: 'two', patterns: ['acme/web'], paused: true },
    ]);
    await withoutSchedules(flows, async () => {
      expect(kindsOf(await apply(flows, both))).toEqual({ one: 'created', two: 'created' });
      await lastResult(flows, 'one');
      const schedules = createGroupSchedules(client, tools.indexName);
      const before = await schedules.list();
      expect(before.find(({ group }) => group.name === 'two')).toMatchObject({ isPaused: true, lastRun: null });

      expect(kindsOf(await apply(flows, both))).toEqual({ one: 'unchanged', two: 'unchanged' });
      expect(await schedules.list()).toEqual(before);

      await schedules.pause('one', 'maintenance');
      const later = declare([{ name: 'one', patterns: ['acme/api'], schedule: '30 4 * * *' }]);
      const changed = await apply(flows, later);
      expect(kindsOf(changed)).toEqual({ one: 'changed', two: 'orphaned' });
      expect(changed.changes[0]?.fields).toEqual([{ field: 'schedule', before: NIGHTLY, after: '30 4 * * *' }]);
      // paused manually, which the file does not mention
      expect(await schedules.find(['one', 'two'])).toMatchObject([
        { isPaused: true, nextRun: null, group: { schedule: '30 4 * * *' } },
        { isPaused: true },
      ]);
      await schedules.resume('one', 'done');
      expect((await schedules.find(['one']))[0]?.nextRun).toMatch(/T04:30:00/);

      expect(kindsOf(await apply(flows, later, { prune: true }))).toEqual({ one: 'unchanged', two: 'removed' });
      expect(await schedules.find(['two'])).toEqual([]);
    });
  });

  test('a file without branches does not change groups that an earlier version applied', async ({ flows }) => {
    const { client, tools, estate } = flows;
    await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
    const document = declare([{ name: 'one', patterns: ['acme/api'] }]);
    await withoutSchedules(flows, async () => {
      await apply(flows, document);
      await lastResult(flows, 'one');
      const handle = client.schedule.getHandle(groupScheduleId(tools.indexName, 'one'));
      await handle.update(({ action, ...rest }) => {
        const [applied] = action.args as [SyncGroup];
        const { branches: _branches, ...group } = applied;
        return { ...rest, action: { ...action, args: [group] } };
      });
      expect((await handle.describe()).action.args).not.toMatchObject([{ branches: [] }]);
      expect(kindsOf(await apply(flows, document))).toEqual({ one: 'unchanged' });
      const changed = await apply(flows, declare([{ name: 'one', patterns: ['acme/api'], branches: ['develop'] }]));
      expect(changed.changes[0]?.fields).toEqual([{ field: 'branches', before: [], after: ['develop'] }]);
      // it covers more than before, so it runs immediately
      expect(await lastResult(flows, 'one')).toMatchObject({ matched: 1, skipped: 1 });
    });
  });

  test('the note of a group names who applied it last, and stays when it was paused manually', async ({ flows }) => {
    const { client, tools } = flows;
    const applyFrom = async (file: string, by: string, description: string, paused = false): Promise<unknown> =>
      (
        await startFlow(client, 'applySyncGroups', {
          document: declare([{ name: 'one', patterns: ['nobody/x'], description, paused }]),
          source: { file, commit: null, by },
        })
      ).result();
    const schedules = createGroupSchedules(client, tools.indexName);
    const stateOf = async () => (await schedules.find(['one']))[0];
    await withoutSchedules(flows, async () => {
      await applyFrom('a.yaml', 'alice', 'first', true);
      expect(await stateOf()).toMatchObject({ note: 'paused by alice from a.yaml', isPaused: true });
      await applyFrom('b.yaml', 'bob', 'second', true);
      expect(await stateOf()).toMatchObject({ note: 'paused by bob from b.yaml', applied: { file: 'b.yaml' } });
      await schedules.resume('one', 'resumed by carol');
      await applyFrom('c.yaml', 'alice', 'third', true);
      expect(await stateOf()).toMatchObject({ note: 'resumed by carol', isPaused: false, applied: { file: 'c.yaml' } });
    });
  });

  test('a group that cannot be changed or started does not stop the groups after it', async ({ flows }) => {
    const { client, tools } = flows;
    const { applyGroups, startGroups } = createGroupActivities({ ...tools, providers: ['local'], blobs: tools.blobs });
    const activity = mockActivity(undefined, { client });
    const { groups } = parseSyncGroups(declare([{ name: 'good', patterns: ['nobody/x'], paused: true }]), {
      file: 'a.yaml',
      providers: ['local'],
    });
    const [good] = groups;
    if (good === undefined) throw new Error('no group');
    const change = (group: SyncGroup) => ({ kind: 'created' as const, name: group.name, fields: [], group });
    await withoutSchedules(flows, async () => {
      const bad = { ...good, name: 'bad', schedule: 'never' };
      await expect(activity.run(applyGroups, { changes: [change(bad), change(good)], source })).rejects.toBeInstanceOf(
        Error,
      );
      const schedules = createGroupSchedules(client, tools.indexName);
      // a listing lags behind
      await expect.poll(async () => (await schedules.list()).map(({ group }) => group.name)).toEqual(['good']);
      await expect(activity.run(startGroups, { names: ['bad', 'good'] })).rejects.toThrow('no sync group "bad"');
      expect(await lastResult(flows, 'good')).toMatchObject({ matched: 0 });
    });
  });

  test('an invalid file changes nothing, and the flow reports the place', async ({ flows }) => {
    const { client, tools } = flows;
    const document = declare([{ name: 'one', patterns: ['acme/api'], schedule: 'often' }]);
    await expect(apply(flows, document)).rejects.toMatchObject({
      cause: { cause: { type: 'InvalidConfiguration', message: expect.stringContaining('sync-groups.yaml:1: ') } },
    });
    expect(await createGroupSchedules(client, tools.indexName).list()).toEqual([]);
  });

  test('broken repositories are reported and keep their index, the others are synced', async ({ flows }) => {
    const { estate, tools, client } = flows;
    const names = Array.from({ length: 15 }, (_, at) => `acme/r${String(at).padStart(2, '0')}`);
    for (const name of names) await estate.create(name, { 'a.ts': `export const name = '${name}';\n` });
    await withoutSchedules(flows, async () => {
      await apply(flows, declare([{ name: 'all', patterns: ['acme/*'] }]));
      expect(await lastResult(flows, 'all')).toMatchObject({ matched: 15, succeeded: 15, failed: 0 });
      for (const name of names) await estate.commit(name, { 'b.ts': `export const two = '${randomUUID()}';\n` });
      const broken = names.slice(3, 6);
      const refs = broken.map((name) => join(estate.gitDir(name), 'refs/heads/main'));
      const heads = await Promise.all(refs.map((ref) => readFile(ref)));
      for (const ref of refs) await writeFile(ref, 'no commit\n');
      const before = await Promise.all(broken.map((name) => tools.store.readReceipt(`local/${name}`)));

      const schedules = createGroupSchedules(client, tools.indexName);
      await schedules.run('all');
      const result = await lastResult(flows, 'all');
      expect(result).toMatchObject({ matched: 15, succeeded: 12, failed: 3 });
      expect(result.failures.map(({ repository }) => repository).sort()).toEqual(broken.map((name) => `local/${name}`));
      for (const { error } of result.failures) expect(error).not.toBe('');
      const after = await Promise.all(broken.map((name) => tools.store.readReceipt(`local/${name}`)));
      expect(after.map((receipt) => ({ ...receipt, pending: null }))).toEqual(before);

      for (const [at, ref] of refs.entries()) await writeFile(ref, heads[at] ?? '');
      await schedules.run('all');
      expect(await lastResult(flows, 'all')).toMatchObject({ matched: 15, succeeded: 3, skipped: 12, failed: 0 });
    });
  });
});
