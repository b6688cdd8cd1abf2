import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { watchFleetFlow } from '../../../domain/catalog/flows/group-flows.ts';

const EVERY = '5 minutes';

/**
 * Schedules the flow `watchFleet` for the groups of an index every five minutes, or removes the schedule when there are
 * no channels. Idempotent.
 */
export async function scheduleWatch(client: Client, indexName: string, isWanted: boolean): Promise<void> {
  const id = watchScheduleId(indexName);
  try {
    if (!isWanted) {
      await client.schedule.getHandle(id).delete();
      return;
    }
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: EVERY }] },
      action: {
        type: 'startWorkflow',
        workflowType: watchFleetFlow.type,
        taskQueue: watchFleetFlow.queue,
        workflowId: id,
        args: [],
        staticSummary: `alerts of ${indexName}`,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning || error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** The id of the schedule that checks the groups of an index. */
export function watchScheduleId(indexName: string): string {
  return `watch-fleet/${indexName}`;
}
