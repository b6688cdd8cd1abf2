import type { RetryPolicy } from '@temporalio/common';
import { type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { BuildActivities } from '../../activities/catalog/builds.ts';
import type { CatalogActivities } from '../../activities/catalog/catalog.ts';
import type { GroupActivities } from '../../activities/catalog/groups.ts';
import { NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { REPOS_QUEUE } from '../../domain/shared/queues.ts';

type Activities = CatalogActivities & BuildActivities & GroupActivities;

/**
 * Retries until the total timeout; the worker stops retries of failures that do not help (`domain/shared/failures.ts`).
 */
const retry = {
  initialInterval: '2 seconds',
  backoffCoefficient: 2,
  maximumInterval: '2 minutes',
  nonRetryableErrorTypes: [...NON_RETRYABLE],
} satisfies RetryPolicy;

/** Minutes at most, and cheap to retry. */
const brief = {
  taskQueue: REPOS_QUEUE,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '6 hours',
  heartbeatTimeout: '20 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
} as const;

/** Activities that determine what to do. If a server asks to wait, the flow waits, with `patiently`. */
export const finding: ActivityInterfaceFor<Activities> = proxyActivities<Activities>({
  ...brief,
  retry: { ...retry, nonRetryableErrorTypes: [...NON_RETRYABLE, 'RateLimited'] },
});

/** Activities that decide about builds and groups. */
export const deciding: ActivityInterfaceFor<Activities> = proxyActivities<Activities>({ ...brief, retry });

/**
 * Activities that write to the index: a first run over a huge repository takes hours. They heartbeat, so that a dead
 * worker is noticed within seconds, and may be cancelled at any moment: the receipt is written last.
 */
export const indexing: ActivityInterfaceFor<Activities> = proxyActivities<Activities>({
  taskQueue: REPOS_QUEUE,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '24 hours',
  heartbeatTimeout: '20 seconds',
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
