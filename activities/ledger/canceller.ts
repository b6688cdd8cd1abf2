import type { Client } from '@temporalio/client';
import type { Canceller, RunningFlow } from './acting-flow.ts';

/** Events at the end of a history that are searched: a cancelled flow does little more. */
const MOST_EVENTS = 1_000;

/**
 * Who cancelled a run, from its history: the identity of the program that asked, or the flow whose child the run is. Null
 * when the last {@link MOST_EVENTS} events have no request.
 */
export async function cancellerOf(
  client: Client,
  { workflowId, runId }: Pick<RunningFlow, 'workflowId' | 'runId'>,
): Promise<Canceller | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: MOST_EVENTS,
  });
  for (const { workflowExecutionCancelRequestedEventAttributes: asked } of history?.events ?? []) {
    if (!asked) continue;
    const parent = asked.externalWorkflowExecution?.workflowId;
    return { name: parent ? `the flow ${parent}` : asked.identity || 'unknown', why: asked.cause || null };
  }
  return null;
}
