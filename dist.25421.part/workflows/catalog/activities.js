import { proxyActivities } from '@temporalio/workflow';
import { NON_RETRYABLE } from '../../domain/failures.js';
/** The task queue of the workers that have git and disk. */
export const REPOS_QUEUE = 'longhaul-repos';
/** Until the total bound; the worker ends what is not worth another try (`domain/failures.ts`). */
const retry = {
    initialInterval: '2 seconds',
    backoffCoefficient: 2,
    maximumInterval: '2 minutes',
    nonRetryableErrorTypes: [...NON_RETRYABLE],
};
/** Finding out what there is to do: minutes at most, and cheap to ask again. */
export const finding = proxyActivities({
    taskQueue: REPOS_QUEUE,
    startToCloseTimeout: '30 minutes',
    scheduleToCloseTimeout: '6 hours',
    heartbeatTimeout: '20 seconds',
    retry,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
/**
 * Writing to the index: a first run over a huge repository takes hours. It heartbeats, so that a dead worker is noticed
 * within seconds, and it may be cancelled at any moment: the receipt is written last.
 */
export const indexing = proxyActivities({
    taskQueue: REPOS_QUEUE,
    startToCloseTimeout: '6 hours',
    scheduleToCloseTimeout: '24 hours',
    heartbeatTimeout: '20 seconds',
    retry,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
//# sourceMappingURL=activities.js.map