import type { RetryPolicy } from '@temporalio/common';
import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { ForgeActivities } from '../../activities/forges/forge-activities.ts';
import type { CommitActivities } from '../../activities/release/commits.ts';
import type { DeployActivities } from '../../activities/release/deployments.ts';
import type { ChangeActivities } from '../../activities/release/environment-changes.ts';
import type { LedgerActivities } from '../../activities/release/ledger.ts';
import type { PipelineActivities } from '../../activities/release/pipelines.ts';
import { LASTING_MS, NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { DEPLOY_QUEUE, LEDGER_QUEUE, PIPELINES_QUEUE, REPOS_QUEUE } from '../../domain/shared/queues.ts';

const retry = {
  initialInterval: '2 seconds',
  backoffCoefficient: 2,
  maximumInterval: '2 minutes',
  nonRetryableErrorTypes: [...NON_RETRYABLE],
} satisfies RetryPolicy;

/** Git of the providers: minutes at most, unless a repository is huge. */
export const commitActivities: ActivityInterfaceFor<CommitActivities> = proxyActivities<CommitActivities>({
  taskQueue: REPOS_QUEUE,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '6 hours',
  heartbeatTimeout: '20 seconds',
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** The same for what may also be done later: given up after a few attempts. */
export const briefCommitActivities: ActivityInterfaceFor<CommitActivities> = proxyActivities<CommitActivities>({
  taskQueue: REPOS_QUEUE,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '6 hours',
  heartbeatTimeout: '20 seconds',
  retry: { ...retry, maximumAttempts: 3 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** What is written to the forge and may also be missing: given up after a few attempts. */
export const forgeActivities: ActivityInterfaceFor<ForgeActivities> = proxyActivities<ForgeActivities>({
  taskQueue: REPOS_QUEUE,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { ...retry, maximumAttempts: 3 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** The same for what a recorded decision still needs: repeated until it is done, or a person cancels the flow. */
export const lastingCommitActivities: ActivityInterfaceFor<CommitActivities> = proxyActivities<CommitActivities>({
  taskQueue: REPOS_QUEUE,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: LASTING_MS,
  heartbeatTimeout: '20 seconds',
  retry: { ...retry, maximumInterval: '1 hour' },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** Transactions of the ledger: brief, and repeated until the database answers. */
export const ledgerActivities: ActivityInterfaceFor<LedgerActivities> = proxyActivities<LedgerActivities>({
  taskQueue: LEDGER_QUEUE,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '7 days',
  retry,
});

/** Waits for a change of the ledger, for an hour at most. */
export const waitingLedgerActivities: ActivityInterfaceFor<LedgerActivities> = proxyActivities<LedgerActivities>({
  taskQueue: LEDGER_QUEUE,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: LASTING_MS,
  heartbeatTimeout: '20 seconds',
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** The same after which nothing is given up: the caller must know whether the transaction has happened. */
export const lastingLedgerActivities: ActivityInterfaceFor<LedgerActivities> = proxyActivities<LedgerActivities>({
  taskQueue: LEDGER_QUEUE,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: LASTING_MS,
  retry,
});

const programs = {
  taskQueue: PIPELINES_QUEUE,
  heartbeatTimeout: '20 seconds',
  retry,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
} satisfies ActivityOptions;

/** Reads a pipeline at a commit. */
export const pipelineActivities: ActivityInterfaceFor<PipelineActivities> = proxyActivities<PipelineActivities>({
  ...programs,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '6 hours',
});

/** Hooks of deployments: their programs have their own limit of at most a day. */
export const hookActivities: ActivityInterfaceFor<PipelineActivities> = proxyActivities<PipelineActivities>({
  ...programs,
  startToCloseTimeout: '25 hours',
  scheduleToCloseTimeout: '7 days',
});

/** Questions to clusters: a cluster that cannot be reached is waited for. */
export const deployActivities: ActivityInterfaceFor<DeployActivities> = proxyActivities<DeployActivities>({
  ...programs,
  taskQueue: DEPLOY_QUEUE,
  startToCloseTimeout: '15 minutes',
  scheduleToCloseTimeout: '6 hours',
});

/** Changes of clusters. A worker that is gone is missed within its heartbeat; a cluster that cannot be reached is waited for. */
const changes = {
  ...programs,
  taskQueue: DEPLOY_QUEUE,
  heartbeatTimeout: '15 seconds',
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '1 day',
  retry: { ...retry, initialInterval: '1 second', maximumInterval: '10 seconds' },
} satisfies ActivityOptions;

/** See {@link changes}. */
export const changeActivities: ActivityInterfaceFor<ChangeActivities> = proxyActivities<ChangeActivities>(changes);

/** The same for work that takes as long as a contract says, in seconds. */
export function lastingChangeActivities(seconds: number): ActivityInterfaceFor<ChangeActivities> {
  const longest = (seconds + 3_600) * 1_000;
  return proxyActivities<ChangeActivities>({
    ...changes,
    startToCloseTimeout: longest,
    scheduleToCloseTimeout: longest + 24 * 3_600_000,
  });
}

/** Time for the checkout of a job, in addition to its own limit. */
const CHECKOUT_SECONDS = 3_600;
/** How long a job may wait for a worker: people may start the first one tomorrow. */
const LONGEST_QUEUE_SECONDS = 7 * 24 * 3_600;

/** An attempt of a job: its programs have their own limit, so the timeout is never reached while the worker lives. */
export function jobActivities(timeoutSeconds: number): ActivityInterfaceFor<PipelineActivities> {
  const seconds = timeoutSeconds + CHECKOUT_SECONDS;
  return proxyActivities<PipelineActivities>({
    ...programs,
    startToCloseTimeout: seconds * 1_000,
    scheduleToCloseTimeout: (3 * seconds + LONGEST_QUEUE_SECONDS) * 1_000,
  });
}
