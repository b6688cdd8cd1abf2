import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { FLOWS_QUEUE } from '../../domain/shared/queues.ts';
import { COMMON_ROLES, QUEUE_OF_ROLE } from '../../domain/shared/roles.ts';

/** A worker polls at least every minute; the server remembers pollers for five minutes. */
const POLLER_MEMORY_MS = 2 * 60_000;
const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;

/** Task queues of the common roles that no worker polls, so their tasks wait. */
export async function unpolledQueues(client: Client): Promise<string[]> {
  const { namespace } = client.options;
  const polled = await Promise.all(
    COMMON_ROLES.map(async (role) => {
      const name = QUEUE_OF_ROLE[role];
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name },
        taskQueueType: name === FLOWS_QUEUE ? TASK_QUEUE_TYPE_WORKFLOW : TASK_QUEUE_TYPE_ACTIVITY,
      });
      const since = Date.now() - POLLER_MEMORY_MS;
      const isAlive = (pollers ?? []).some(
        ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since,
      );
      return isAlive ? [] : [name];
    }),
  );
  return polled.flat();
}
