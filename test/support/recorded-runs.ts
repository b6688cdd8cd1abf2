import type { Client } from '@temporalio/client';

/** A history of one run, with the id of its workflow. */
export interface RecordedRun {
  readonly workflowId: string;
  readonly history: Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
}

/** Every run of these workflows, including children and continuations. */
export async function collectRuns(
  client: Client,
  started: Iterable<readonly [string, string]>,
): Promise<RecordedRun[]> {
  const runs: RecordedRun[] = [];
  const seen = new Set<string>();
  const queue = [...started];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [workflowId, runId] = next;
    if (seen.has(runId)) continue;
    seen.add(runId);
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.push({ workflowId, history });
    for (const event of history.events ?? []) {
      const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
      if (child?.workflowId && child.runId) queue.push([child.workflowId, child.runId]);
      const continued = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
      if (continued) queue.push([workflowId, continued]);
    }
  }
  return runs;
}
