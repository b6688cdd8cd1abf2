import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createGroupSchedules, groupOfSchedule } from '../../../activities/catalog/groups/schedules.ts';
import { createMetrics } from '../../../activities/telemetry/metrics.ts';
import { showSchedules } from '../../../activities/telemetry/schedule-metrics.ts';
import { groupScheduleId } from '../../../domain/catalog/flows/group-flows.ts';
import type { GroupChangeKind } from '../../../domain/catalog/groups/sync-groups.ts';
import { FLOWS } from '../../../domain/flows.ts';
import { groupOf } from '../../support/catalog/group-run.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { samplesIn } from '../../support/scrape.ts';

const INDEX = 'ScheduleMetrics';

test('the gauges of a group follow its schedule: no age while it is paused, nothing once it is deleted', async () => {
  const connection = await Connection.connect({ address: inject('stack').temporalAddress });
  onTestFinished(() => connection.close());
  const client = new Client({ connection, namespace: NAMESPACE });
  const schedules = createGroupSchedules(client, INDEX);
  const group = { ...groupOf('metered', ['acme/*']), schedule: '0 3 * * *' };
  const apply = (kind: GroupChangeKind): Promise<void> =>
    schedules.apply({ kind, name: group.name, group, fields: [] }, { file: 'f', commit: null, by: 'alice' });
  await apply('created');
  onTestFinished(() => apply('removed'));

  const metrics = createMetrics();
  showSchedules(metrics, client, {
    isOurs: (type) => FLOWS.find(type) !== null,
    groupOf: groupOfSchedule,
    freshForMs: 0,
  });
  metrics.observe({
    event: 'sync_group_done',
    group: group.name,
    named: true,
    repositories: 2,
    failed: 2,
    failing_runs: 4,
    duration_ms: 10,
    true_since: new Date(0).toISOString(),
  });
  const shown = async (): Promise<string[]> => {
    const samples = [...samplesIn(await metrics.text()).keys()];
    const names = ['oldest_receipt_age_seconds', 'failing_runs', 'last_run_failed'];
    return names.filter((name) => samples.includes(`longhaul_group_${name}{group="${group.name}"}`));
  };
  const ofSchedule = async (name: string): Promise<number | undefined> =>
    samplesIn(await metrics.text()).get(`longhaul_schedule_${name}{schedule="${groupScheduleId(INDEX, group.name)}"}`);
  // Temporal lists what is new after a moment
  await expect.poll(shown).toEqual(['oldest_receipt_age_seconds', 'failing_runs', 'last_run_failed']);
  expect(await ofSchedule('paused')).toBe(0);
  expect(await ofSchedule('missed_runs')).toBe(0);
  const due = new Date(((await ofSchedule('next_run_timestamp_seconds')) ?? 0) * 1_000);
  expect(due.toISOString()).toMatch(/T03:00:00/);
  await schedules.pause(group.name, 'maintenance');
  await expect.poll(shown).toEqual(['failing_runs', 'last_run_failed']);
  expect(await ofSchedule('paused')).toBe(1);
  expect(await ofSchedule('next_run_timestamp_seconds')).toBeUndefined();
  await schedules.resume(group.name, 'done');
  await expect.poll(shown).toContain('oldest_receipt_age_seconds');
  await client.schedule.getHandle(groupScheduleId(INDEX, group.name)).delete();
  await expect.poll(shown).toEqual([]);
  expect(await ofSchedule('paused')).toBeUndefined();
});
