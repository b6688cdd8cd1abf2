import type { Client, ScheduleDescription } from '@temporalio/client';
import { Gauge, type Registry } from 'prom-client';

/** Milliseconds for which what Temporal said is shown again: it is asked once for each schedule. */
const FRESH_FOR = 30_000;
/** Milliseconds that Temporal may take; a scrape is given up after ten seconds, unless it was told otherwise. */
const PATIENCE = 5_000;

/**
 * Shows in a registry what Temporal knows of the schedules that start flows of ours, by workflow type: every process says the
 * same. While Temporal does not answer there are none.
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
    'Runs that were not started, because Temporal was away when they were due, since the schedule was made',
    ({ info }) => info.numActionsMissedCatchupWindow,
  );
  gauge(
    'longhaul_schedule_skipped_runs',
    'Runs that were not started, because the one before was still going on, since the schedule was made',
    ({ info }) => info.numActionsSkippedOverlap,
  );
  gauge('longhaul_schedule_paused', '1 when the schedule does nothing now', ({ state }) => (state.paused ? 1 : 0));
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
