import { type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { ActActivities } from '../../activities/ledger/act-activities.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { LEDGER_QUEUE } from '../../domain/shared/queues.ts';

/** Who asks, and what was not done, in the ledger. */
export const actActivities: ActivityInterfaceFor<ActActivities> = proxyActivities<ActActivities>({
  taskQueue: LEDGER_QUEUE,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '7 days',
  retry: {
    initialInterval: '2 seconds',
    backoffCoefficient: 2,
    maximumInterval: '2 minutes',
    nonRetryableErrorTypes: [...NON_RETRYABLE],
  },
});
