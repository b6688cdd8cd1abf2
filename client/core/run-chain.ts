import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import { readFlowProgress } from '../../domain/shared/progress.schema.ts';

/** A run and those that it continued as: one chain, however often its workflow id is used again. */
export interface RunChain {
  readonly client: Client;
  readonly workflowId: string;
  readonly firstRunId: string;
}

/** The id of the run that the chain of a run began with. */
export function firstRunIdOf({ runId, raw }: WorkflowExecutionDescription): string {
  return raw.workflowExecutionInfo?.firstRunId || runId;
}

/** The chain: its result is that of its last run, and an update is refused when another chain has the workflow id. */
export function handleOf({ client, workflowId, firstRunId }: RunChain): WorkflowHandle {
  return client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: firstRunId });
}

/** What the present run of a chain says of itself; null when no worker answers, or another chain has the workflow id. */
export async function readProgress(chain: RunChain): Promise<FlowProgress | null> {
  try {
    const latest = await chain.client.workflow.getHandle(chain.workflowId).describe();
    if (firstRunIdOf(latest) !== chain.firstRunId) return null;
    return await queryProgress(chain.client, chain.workflowId, latest.runId);
  } catch {
    return null;
  }
}

/** The answer of the query `progress`; null when it is of another shape. Rejects when the run has no such query or no worker answers. */
export async function queryProgress(client: Client, workflowId: string, runId?: string): Promise<FlowProgress | null> {
  return readFlowProgress(await client.workflow.getHandle(workflowId, runId).query<unknown>('progress'));
}
