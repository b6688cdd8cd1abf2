import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import { readFlowProgress } from '../../domain/shared/progress.schema.ts';

/** A run and the runs that it continued as. A later run with the same workflow id is another chain. */
export interface RunChain {
  readonly client: Client;
  readonly workflowId: string;
  /** A run of the chain that the server still has. */
  readonly runId: string;
  readonly firstRunId: string;
}

/** The chain of a run. */
export function chainOf(client: Client, run: WorkflowExecutionDescription): RunChain {
  const { workflowId, runId } = run;
  return { client, workflowId, runId, firstRunId: firstRunIdOf(run) };
}

/** The id of the first run in the chain of a run. */
export function firstRunIdOf({ runId, raw }: WorkflowExecutionDescription): string {
  return raw.workflowExecutionInfo?.firstRunId || runId;
}

/** The result of the last run of the chain. The first run may be gone: a chain can outlive the retention of its runs. */
export function resultOf({ client, workflowId, runId }: RunChain): Promise<unknown> {
  return client.workflow.getHandle(workflowId, runId).result();
}

/** A handle for updates, which are refused when another chain has the workflow id. */
export function updateHandleOf({ client, workflowId, firstRunId }: RunChain): WorkflowHandle {
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
