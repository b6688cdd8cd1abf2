import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import pLimit from 'p-limit';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

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
 * Registers Temporal's state of the schedules that start Longhaul's flows, found by workflow type: every process exports the
 * same values. While Temporal does not answer they are absent. The gauges of groups follow the schedules too; while Temporal
 * does not answer, as it answered last.
 */
export function showSchedules(metrics: Metrics, client: Client, reader: ScheduleReader): void {
  const { isOurs, groupOf, freshForMs = FRESH_FOR } = reader;
  let asked: number | null = null;
  let answer: Promise<readonly ScheduleDescription[]> = Promise.resolve([]);
  let groups: ReadonlyMap<string, { readonly isPaused: boolean }> | null = null;
  const schedules = (): Promise<readonly ScheduleDescription[]> => {
    const now = Date.now();
    if (asked !== null && now - asked < freshForMs) return answer;
    asked = now;
    answer = client
      .withDeadline(now + PATIENCE, () => describeSchedules(client, isOurs))
      .then(
        (found) => {
          groups = groupsOf(found, groupOf);
          return found;
        },
        () => [],
      );
    return answer;
  };
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
}

/** Groups by name. When several indexes have one of the same name, it is paused when all of them are. */
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
    // the listing still has what was just deleted
    client.schedule.getHandle(id).describe().catch(unlessNotFound),
  );
  return described.filter((schedule) => schedule !== null);
}

function unlessNotFound(error: unknown): null {
  if (error instanceof ScheduleNotFoundError) return null;
  throw error;
}
