import type { Client, ScheduleDescription } from '@temporalio/client';
import { Gauge, type Registry } from 'prom-client';

/** Milliseconds for which Temporal's answer is reused: one request per schedule. */
const FRESH_FOR = 30_000;
/** Timeout for Temporal in milliseconds; by default a scrape is aborted after ten seconds. */
const PATIENCE = 5_000;

/**
 * Registers Temporal's state of the schedules that start Longhaul's flows, found by workflow type: every process exports the
 * same values. While Temporal does not answer they are absent.
 */
export function showSchedules(registry: Registry, client: Client, isOurs: (workflowType: string) => boolean): void {
  let asked = 0;
  let answer: Promise<ScheduleDescription[]> = Promise.resolve([]);
  const schedules = (): Promise<ScheduleDescription[]> => {
    if (Date.now() - asked > FRESH_FOR) {
      asked = Date.now();
      answer = client.withDeadline(asked + PATIENCE, () => describeSchedules(client, isOurs)).catch(() => []);
    }
    return answer;
  };
  const gauge = (name: string, help: string, value: (schedule: ScheduleDescription) => number | undefined): void => {
    const shown: Gauge<'schedule'> = new Gauge({
      name,
      help,
      labelNames: ['schedule'],
      registers: [registry],
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

async function describeSchedules(
  client: Client,
  isOurs: (workflowType: string) => boolean,
): Promise<ScheduleDescription[]> {
  const described: ScheduleDescription[] = [];
  for await (const { scheduleId, action } of client.schedule.list()) {
    if (action === undefined || !isOurs(action.workflowType)) continue;
    described.push(await client.schedule.getHandle(scheduleId).describe());
  }
  return described;
}
