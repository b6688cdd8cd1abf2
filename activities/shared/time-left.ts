import { activityInfo } from '@temporalio/activity';

/**
 * Milliseconds that are left of a time that began when the flow scheduled the running activity. Only times of the server
 * are compared: the clock of this machine may be wrong. The time in which an attempt waits for a worker does not count.
 */
export function timeLeft(seconds: number): number {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  return seconds * 1_000 - (currentAttemptScheduledTimestampMs - scheduledTimestampMs);
}
