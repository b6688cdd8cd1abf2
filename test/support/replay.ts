import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import type { RecordedRun } from './recorded-runs.ts';
import './quiet-runtime.ts';

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
