import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { anchorAuditFlow } from '../../domain/release/flows/anchor-flow.ts';
import { startOptions } from '../shared/start-options.ts';

const EVERY = '1 hour';

/** The schedule that records the end of the audit trail outside the database. */
export const ANCHOR_SCHEDULE = 'audit-anchor';

/** Schedules the flow `anchorAudit` every hour. A person may pause or change the schedule. Idempotent. */
export async function scheduleAnchors(client: Client): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: ANCHOR_SCHEDULE,
      spec: { intervals: [{ every: EVERY }] },
      action: {
        type: 'startWorkflow',
        workflowType: anchorAuditFlow.type,
        ...startOptions(anchorAuditFlow, {}),
        // Temporal appends the time of the run
        workflowId: ANCHOR_SCHEDULE,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
