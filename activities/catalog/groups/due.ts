import { Cron } from 'croner';
import type { ScheduledGroup } from './schedules.ts';

/** True when a group's schedule has been due since its latest run began, and it is not paused. */
export function isDue({ group, isPaused, lastRun }: ScheduledGroup, now: Date): boolean {
  if (isPaused) return false;
  if (lastRun === null) return true;
  const cron = new Cron(group.schedule, { mode: '5-part', timezone: group.timezone, paused: true });
  const [latest] = cron.previousRuns(1, now);
  return latest !== undefined && latest > new Date(lastRun.startedAt);
}
