import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { AlertActivities, FleetWatch } from '../../activities/alerts.ts';
import { alertNews } from '../../domain/catalog/alerts.ts';
import { NON_RETRYABLE } from '../../domain/failures.ts';

const { watch, channels, tellChannel } = proxyActivities<AlertActivities>({
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '2 minutes', nonRetryableErrorTypes: [...NON_RETRYABLE] },
});

/**
 * Looks at all groups, started by its schedule, and tells every channel what came and what went since the run before. A
 * channel that does not take the news keeps nobody else from them, and is told the same by the next run.
 */
export async function watchFleet(): Promise<FleetWatch> {
  const { before, now } = await watch();
  const { raised, settled } = alertNews(before?.alerts ?? [], now.alerts);
  if (raised.length + settled.length === 0) return now;
  const { at } = now;
  const news = { id: workflowInfo().runId, at, raised, settled };
  const told = await Promise.allSettled(
    (await channels()).map((channel) => tellChannel.executeWithOptions({ summary: channel }, [{ channel, news }])),
  );
  const failed = told.find((one) => one.status === 'rejected');
  // a run that fails has no result: the next one compares with what was told before
  if (failed) throw failed.reason;
  return now;
}
