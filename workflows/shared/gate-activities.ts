import { type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { GateActivities } from '../../activities/gates/gates.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { LEDGER_QUEUE } from '../../domain/shared/queues.ts';

/** Gates in the ledger. */
export const gateActivities: ActivityInterfaceFor<GateActivities> = proxyActivities<GateActivities>({
  taskQueue: LEDGER_QUEUE,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '30 days',
  retry: { maximumInterval: '2 minutes', nonRetryableErrorTypes: [...NON_RETRYABLE] },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
