import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import { Gauge, type Registry } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** Milliseconds for which Temporal's answer is reused: a scrape may come every few seconds. */
const FRESH_FOR = 30_000;
/** Timeout for Temporal in milliseconds; by default a scrape is aborted after ten seconds. */
const PATIENCE = 5_000;
/** Schedules that are read in parallel. */
const AT_ONCE = 8;

/** How to read schedules. */
export interface ScheduleReader {
  /** True for a workflow type of Longhaul. */
  readonly isOurs: (workflowType: string) => boolean;
  /** The name of the sync group that a schedule runs; null for any other schedule. */
  readonly groupOf: (schedule: ScheduleDescription) => string | null;
  /** Milliseconds for which Temporal's answer is reused: one request per schedule. @default 30,000 */
  readonly freshForMs?: number;
}

/**
 * Registers the state of the schedules that start Longhaul's flows, found in Temporal by workflow type: every process
 * exports the same values. They are absent while Temporal does not answer. The gauges of groups follow the schedules
 * too, and use the last answer while Temporal does not answer.
 */
export function showSchedules(metrics: Metrics, client: Client, reader: ScheduleReader): void {
  const { isOurs, groupOf, freshForMs = FRESH_FOR } = reader;
  let groups: ReadonlyMap<string, { readonly isPaused: boolean }> | null = null;
  const schedules = reused(freshForMs, async (): Promise<readonly ScheduleDescription[]> => {
    try {
      const found = await client.withDeadline(Date.now() + PATIENCE, () => describeSchedules(client, isOurs));
      groups = groupsOf(found, groupOf);
      return found;
    } catch {
      return [];
    }
  });
  metrics.limitTo(async () => {
    await schedules();
    return groups;
  });
  const gauge = (name: string, help: string, value: (schedule: ScheduleDescription) => number | undefined): void => {
    const shown: Gauge<'schedule'> = new Gauge({
      name,
      help,
      labelNames: ['schedule'],
      registers: [metrics.registry],
      collect: async () => {
        const known = await schedules();
        shown.reset();
        for (const schedule of known) {
          const number = value(schedule);
          if (number !== undefined) shown.set({ schedule: schedule.scheduleId }, number);
        }
      },
    });
  };
  gauge(
    'longhaul_schedule_missed_runs',
    'Runs since the schedule was created that were not started because Temporal was unavailable when they were due',
    ({ info }) => info.numActionsMissedCatchupWindow,
  );
  gauge(
    'longhaul_schedule_skipped_runs',
    'Runs since the schedule was created that were not started because the previous one was still running',
    ({ info }) => info.numActionsSkippedOverlap,
  );
  gauge('longhaul_schedule_paused', '1 when the schedule is paused', ({ state }) => (state.paused ? 1 : 0));
  gauge('longhaul_schedule_next_run_timestamp_seconds', 'When the next run is due', ({ info, state }) => {
    const [next] = info.nextActionTimes;
    return state.paused || next === undefined ? undefined : next.getTime() / 1_000;
  });
  gauge('longhaul_schedule_last_run_timestamp_seconds', 'When the latest run started', ({ info }) => {
    const latest = info.recentActions.at(-1);
    return latest && latest.takenAt.getTime() / 1_000;
  });
}

/** The alerts of an index: {@link showAlerts}. */
export interface AlertChecks {
  /** The schedule that checks the groups. */
  readonly schedule: string;
  /** Alert channels in `longhaul.yaml`. */
  readonly channels: number;
  /** True when the latest finished check failed; null when none has finished. */
  readonly hasFailed: () => Promise<boolean | null>;
  /** @default 30,000 */
  readonly freshForMs?: number;
}

/** Registers metrics of alert delivery. While Temporal does not answer, only the number of channels is exported. */
export function showAlerts(registry: Registry, client: Client, checks: AlertChecks): void {
  const { schedule, channels, hasFailed, freshForMs = FRESH_FOR } = checks;
  const common = { labelNames: ['schedule'] as const, registers: [registry] };
  const configured = new Gauge({
    name: 'longhaul_alert_channels',
    help: 'Alert channels in longhaul.yaml, by the schedule that checks the groups for them',
    ...common,
  });
  configured.set({ schedule }, channels);
  const failed = reused(freshForMs, () => client.withDeadline(Date.now() + PATIENCE, hasFailed).catch(() => null));
  const shown: Gauge<'schedule'> = new Gauge({
    name: 'longhaul_alerts_last_check_failed',
    help: '1 when the latest finished check of the groups failed: a channel may have missed alerts',
    ...common,
    collect: async () => {
      const value = channels === 0 ? null : await failed();
      shown.reset();
      if (value !== null) shown.set({ schedule }, Number(value));
    },
  });
}

/** Reuses an answer for some milliseconds. */
function reused<Answer>(freshForMs: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let last: { readonly at: number; readonly answer: Promise<Answer> } | null = null;
  return () => {
    const now = Date.now();
    if (last === null || now - last.at >= freshForMs) last = { at: now, answer: ask() };
    return last.answer;
  };
}

/** Groups by name. Groups of the same name in several indexes count as paused when all of them are. */
function groupsOf(
  schedules: readonly ScheduleDescription[],
  groupOf: ScheduleReader['groupOf'],
): ReadonlyMap<string, { readonly isPaused: boolean }> {
  const groups = new Map<string, { isPaused: boolean }>();
  for (const schedule of schedules) {
    const group = groupOf(schedule);
    if (group === null) continue;
    groups.set(group, { isPaused: schedule.state.paused && (groups.get(group)?.isPaused ?? true) });
  }
  return groups;
}

async function describeSchedules(
  client: Client,
  isOurs: (workflowType: string) => boolean,
): Promise<ScheduleDescription[]> {
  const ids: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list()) {
    if (action !== undefined && isOurs(action.workflowType)) ids.push(scheduleId);
  }
  const described = await pLimit(AT_ONCE).map(ids, (id) =>
    // the listing may still contain deleted schedules
    client.schedule.getHandle(id).describe().catch(unlessNotFound),
  );
  return described.filter((schedule) => schedule !== null);
}

function unlessNotFound(error: unknown): null {
  if (error instanceof ScheduleNotFoundError) return null;
  throw error;
}
