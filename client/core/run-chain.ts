import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import { readFlowProgress } from '../../domain/shared/progress.schema.ts';

/** A run and the runs that it continued as. A later run with the same workflow id is another chain. */
export interface RunChain {
  readonly client: Client;
  readonly workflowId: string;
  readonly firstRunId: string;
}

/** The id of the first run in the chain of a run. */
export function firstRunIdOf({ runId, raw }: WorkflowExecutionDescription): string {
  return raw.workflowExecutionInfo?.firstRunId || runId;
}

/**
 * A handle of the chain: its result is that of the last run; updates are refused when another chain has the workflow
 * id.
 */
export function handleOf({ client, workflowId, firstRunId }: RunChain): WorkflowHandle {
  return client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: firstRunId });
}

/** The progress of a chain's current run; null when no worker answers, or another chain has the workflow id. */
export async function readProgress(chain: RunChain): Promise<FlowProgress | null> {
  try {
    const latest = await chain.client.workflow.getHandle(chain.workflowId).describe();
    if (firstRunIdOf(latest) !== chain.firstRunId) return null;
    return await queryProgress(chain.client, chain.workflowId, latest.runId);
  } catch {
    return null;
  }
}

/**
 * The answer of the query `progress`; null when it has another shape. Rejects when no worker answers, or the run has no
 * such query.
 */
export async function queryProgress(client: Client, workflowId: string, runId?: string): Promise<FlowProgress | null> {
  return readFlowProgress(await client.workflow.getHandle(workflowId, runId).query<unknown>('progress'));
}
