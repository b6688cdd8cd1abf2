import { type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { HostActivities } from '../../activities/workspace/host-activities.ts';
import type { PrepareActivities } from '../../activities/workspace/prepare/prepare-activities.ts';
import type { RepairActivities } from '../../activities/workspace/repair/repair-activities.ts';
import type { TeardownActivities } from '../../activities/workspace/teardown/teardown-activities.ts';
import type { WorkspaceRecords } from '../../activities/workspace/workspace-records.ts';
import { LASTING_MS, NON_RETRYABLE } from '../../domain/shared/failures.ts';
import { hostQueue, LEDGER_QUEUE } from '../../domain/shared/queues.ts';

/** Everything that a machine does for flows. */
type MachineActivities = HostActivities & PrepareActivities & RepairActivities & TeardownActivities;

const retry = {
  initialInterval: '2 seconds',
  backoffCoefficient: 2,
  maximumInterval: '2 minutes',
  nonRetryableErrorTypes: [...NON_RETRYABLE],
};

/** How long a machine that is asleep is waited for: a year. */
const LONGEST_SLEEP_MS = 365 * 86_400_000;

/**
 * What is done on a machine, given up after `longestMs`. A machine that is asleep is waited for; a worker that died is missed
 * within its heartbeat.
 */
function onHost(host: string, longestMs: number): ActivityInterfaceFor<MachineActivities> {
  return proxyActivities<MachineActivities>({
    taskQueue: hostQueue(host),
    heartbeatTimeout: '20 seconds',
    startToCloseTimeout: '6 hours',
    scheduleToCloseTimeout: longestMs,
    retry,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });
}

/** What is done on a machine, also on one that is asleep. */
export const hostActivities = (host: string): ActivityInterfaceFor<MachineActivities> => onHost(host, LONGEST_SLEEP_MS);

/** The same for what must be done: repeated until it is, or a person must help. */
export const lastingHostActivities = (host: string): ActivityInterfaceFor<MachineActivities> =>
  onHost(host, LASTING_MS);

/** Records of workspaces: brief, and repeated until the database answers. */
export const workspaceRecords: ActivityInterfaceFor<WorkspaceRecords> = proxyActivities<WorkspaceRecords>({
  taskQueue: LEDGER_QUEUE,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '7 days',
  retry,
});
