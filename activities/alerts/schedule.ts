import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { FLOWS_QUEUE } from '../../domain/queues.ts';

const EVERY = '5 minutes';

/** Lets the flow `watchFleet` look at the groups of an index every five minutes. Done before: nothing. */
export async function scheduleWatch(client: Client, indexName: string): Promise<void> {
  const id = `watch-fleet/${indexName}`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: EVERY }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'watchFleet',
        taskQueue: FLOWS_QUEUE,
        workflowId: id,
        args: [],
        staticSummary: `alerts of ${indexName}`,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
