import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { groupOfSchedule } from '../../../activities/catalog/groups/schedules.ts';
import { createMetrics, type Metrics } from '../../../activities/telemetry/metrics.ts';
import { showAlerts, showSchedules } from '../../../activities/telemetry/schedule-metrics.ts';
import { samplesIn } from '../../support/scrape.ts';

const GROUP_GAUGES = [
  'longhaul_group_failing_runs',
  'longhaul_group_last_run_duration_seconds',
  'longhaul_group_last_run_failed',
  'longhaul_group_last_run_timestamp_seconds',
  'longhaul_group_oldest_receipt_age_seconds',
  'longhaul_group_repositories',
  'longhaul_group_repositories_behind',
  'longhaul_group_repositories_failing',
];

/** A schedule that runs a group; null for one that is in the listing and was deleted since. */
type Scripted = {
  readonly isPaused: boolean;
  /** When its runs started, oldest first, in seconds since 1970. */
  readonly startedAt?: readonly number[];
} | null;

/** Temporal, as far as schedules are read: by id, what each of them is; throws while `isAway`. */
class Schedules {
  readonly byId = new Map<string, Scripted>();
  isAway = false;
  /** Requests for one schedule. */
  described = 0;

  get client(): Client {
    const client = {
      withDeadline: async <T>(_deadline: number, work: () => Promise<T>) => work(),
      schedule: { list: () => this.list(), getHandle: (id: string) => ({ describe: () => this.describe(id) }) },
    };
    return client as unknown as Client;
  }

  private async *list(): AsyncIterable<object> {
    if (this.isAway) throw new Error('UNAVAILABLE');
    yield* [...this.byId.keys()].map((scheduleId) => ({ scheduleId, action: { workflowType: 'syncGroup' } }));
    yield { scheduleId: 'other', action: { workflowType: 'sendInvoices' } };
    yield await Promise.resolve({ scheduleId: 'no-workflow' });
  }

  private describe(scheduleId: string): Promise<ScheduleDescription> {
    this.described++;
    const state = this.byId.get(scheduleId);
    if (!state) return Promise.reject(new ScheduleNotFoundError('deleted', scheduleId));
    const { startedAt = [] } = state;
    const description = {
      scheduleId,
      action: { workflowType: 'syncGroup', args: [{ name: scheduleId.split('/').at(-1) }] },
      state: { paused: state.isPaused },
      info: {
        nextActionTimes: [],
        numActionsMissedCatchupWindow: 0,
        numActionsSkippedOverlap: 0,
        recentActions: startedAt.map((seconds) => ({ takenAt: new Date(seconds * 1_000) })),
      },
    };
    return Promise.resolve(description as unknown as ScheduleDescription);
  }
}

/** Metrics of a process that ran these groups, an hour after they were known to match git. */
function metricsOf(schedules: Schedules, groups: readonly string[], freshForMs = 0): Metrics {
  const metrics = createMetrics();
  const isOurs = (type: string): boolean => type === 'syncGroup';
  showSchedules(metrics, schedules.client, { isOurs, groupOf: groupOfSchedule, freshForMs });
  for (const group of groups) {
    metrics.observe({
      event: 'sync_group_done',
      group,
      named: true,
      repositories: 3,
      failed: 1,
      failing_runs: 3,
      duration_ms: 1_500,
      true_since: new Date(Date.now() - 3_600_000).toISOString(),
    });
  }
  return metrics;
}

/** The gauges of a group that a scrape has a sample of. */
async function gaugesOf(metrics: Metrics, group: string): Promise<string[]> {
  const suffix = `{group="${group}"}`;
  const names = [...samplesIn(await metrics.text()).keys()].filter((key) => key.endsWith(suffix));
  return names.map((key) => key.slice(0, -suffix.length)).sort();
}

test('a removed group has no gauges, a paused one no age, and both come back', async () => {
  const schedules = new Schedules();
  const metrics = metricsOf(schedules, ['kept', 'paused', 'removed']);
  for (const name of ['kept', 'paused', 'removed']) schedules.byId.set(`sync-group/code/${name}`, { isPaused: false });
  const gauges = async (): Promise<string[][]> =>
    Promise.all(['kept', 'paused', 'removed'].map((group) => gaugesOf(metrics, group)));
  expect(await gauges()).toEqual([GROUP_GAUGES, GROUP_GAUGES, GROUP_GAUGES]);

  schedules.byId.set('sync-group/code/paused', { isPaused: true });
  schedules.byId.set('sync-group/code/removed', null);
  const withoutAge = GROUP_GAUGES.filter((name) => !name.includes('_age_'));
  expect(await gauges()).toEqual([GROUP_GAUGES, withoutAge, []]);
  schedules.byId.delete('sync-group/code/removed');
  expect(await gauges()).toEqual([GROUP_GAUGES, withoutAge, []]);

  schedules.byId.set('sync-group/code/paused', { isPaused: false });
  schedules.byId.set('sync-group/code/removed', { isPaused: false });
  expect(await gauges()).toEqual([GROUP_GAUGES, GROUP_GAUGES, GROUP_GAUGES]);
});

test('a group of two indexes is paused when both are', async () => {
  const schedules = new Schedules();
  const metrics = metricsOf(schedules, ['services']);
  schedules.byId.set('sync-group/code/services', { isPaused: true });
  schedules.byId.set('sync-group/docs/services', { isPaused: false });
  expect(await gaugesOf(metrics, 'services')).toEqual(GROUP_GAUGES);
  schedules.byId.set('sync-group/docs/services', { isPaused: true });
  expect(await gaugesOf(metrics, 'services')).not.toContain('longhaul_group_oldest_receipt_age_seconds');
});

test('while Temporal does not answer, groups stay as they were and schedules are absent', async () => {
  const schedules = new Schedules();
  const metrics = metricsOf(schedules, ['kept', 'removed']);
  schedules.isAway = true;
  // nothing is known yet
  expect(await gaugesOf(metrics, 'removed')).toEqual(GROUP_GAUGES);
  schedules.isAway = false;
  schedules.byId.set('sync-group/code/kept', { isPaused: false });
  expect(await gaugesOf(metrics, 'removed')).toEqual([]);
  const paused = 'longhaul_schedule_paused{schedule="sync-group/code/kept"}';
  expect(samplesIn(await metrics.text()).get(paused)).toBe(0);
  schedules.isAway = true;
  expect(samplesIn(await metrics.text()).has(paused)).toBe(false);
  expect(await gaugesOf(metrics, 'kept')).toEqual(GROUP_GAUGES);
  expect(await gaugesOf(metrics, 'removed')).toEqual([]);
});

test('one scrape asks once for each schedule of ours, and the next ones reuse the answer', async () => {
  const schedules = new Schedules();
  for (const name of ['a', 'b']) schedules.byId.set(`sync-group/code/${name}`, { isPaused: false });
  const metrics = metricsOf(schedules, ['a'], 3_600_000);
  await metrics.text();
  await metrics.text();
  expect(schedules.described).toBe(2);
});

test('shows when the latest run of a schedule started', async () => {
  const schedules = new Schedules();
  const metrics = metricsOf(schedules, []);
  schedules.byId.set('sync-group/code/never', { isPaused: false });
  schedules.byId.set('sync-group/code/a', { isPaused: false, startedAt: [10, 20] });
  const samples = [...samplesIn(await metrics.text())];
  expect(samples.filter(([name]) => name.startsWith('longhaul_schedule_last_run_'))).toEqual([
    ['longhaul_schedule_last_run_timestamp_seconds{schedule="sync-group/code/a"}', 20],
  ]);
});

test('shows whether alerts reach their channels', async () => {
  const shown = async (channels: number, hasFailed: () => Promise<boolean | null>): Promise<unknown> => {
    const metrics = createMetrics();
    showAlerts(metrics.registry, new Schedules().client, { schedule: 'watch-fleet/code', channels, hasFailed });
    const samples = samplesIn(await metrics.text());
    return ['longhaul_alert_channels', 'longhaul_alerts_last_check_failed'].map((name) =>
      samples.get(`${name}{schedule="watch-fleet/code"}`),
    );
  };
  expect(await shown(2, () => Promise.resolve(true))).toEqual([2, 1]);
  expect(await shown(2, () => Promise.resolve(false))).toEqual([2, 0]);
  expect(await shown(2, () => Promise.resolve(null))).toEqual([2, undefined]);
  expect(await shown(2, () => Promise.reject(new Error('UNAVAILABLE')))).toEqual([2, undefined]);
  // without channels there is no schedule to ask about
  expect(await shown(0, () => Promise.reject(new Error('not asked')))).toEqual([0, undefined]);
});
