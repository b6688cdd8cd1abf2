import type { Client } from '@temporalio/client';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import './quiet-runtime.ts';

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

/**
 * Replays every run on the current workflow code, with stubs for everything outside the bundle. Throws the first
 * failure, and when there was nothing to replay.
 */
export async function replayAll(
  runs: readonly RecordedRun[],
  codePath: string,
  sinks: NonNullable<ReplayWorkerOptions['sinks']> = {},
): Promise<number> {
  if (runs.length === 0) throw new Error('nothing was replayed: the test started no workflow');
  let replayed = 0;
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { codePath }, sinks }, runs)) {
    if (error) throw new Error(`${workflowId} cannot be replayed`, { cause: error });
    replayed++;
  }
  if (replayed !== runs.length) throw new Error(`${replayed} of ${runs.length} histories were replayed`);
  return replayed;
}
