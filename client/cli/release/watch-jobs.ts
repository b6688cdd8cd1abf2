import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { JobTail } from '../../../domain/release/pipelines/job.ts';
import type { JobState } from '../../../domain/release/flows/pipeline-flows.ts';
import type { Output } from '../../core/io.ts';
import { createPrinter } from './job-printer.ts';
import { createJobTree } from './job-tree.ts';

/** Interval of requests, in milliseconds. */
const POLL_MS = 500;

/**
 * Shows the jobs of a running pipeline until the signal is aborted: on a terminal as a live tree with steps, durations and
 * the last lines of the running ones; elsewhere the jobs as they start and end, and the lines that they write. What a job
 * writes faster than its tail is reported is left out; its log has all of it.
 */
export async function watchJobs(
  { client, stderr }: { readonly client: Client; readonly stderr: Output },
  workflowId: string,
  signal: AbortSignal,
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const printer = stderr.isTTY === true ? createJobTree(stderr) : createPrinter(stderr);
  for (;;) {
    const isLast = signal.aborted;
    // the run may not have started yet, or no worker may answer now
    const [states, tails] = await Promise.all([
      handle.query<JobState[]>('jobs').catch(() => null),
      tailsOf(client, workflowId).catch(() => []),
    ]);
    for (const tail of tails) printer.tail(tail);
    if (states !== null) printer.states(states);
    if (isLast) return;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The latest heartbeats of the jobs that run now. */
async function tailsOf(client: Client, workflowId: string): Promise<JobTail[]> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const beats = (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'runJob');
  const decoded = beats.map(({ heartbeatDetails }) => {
    const data = heartbeatDetails?.payloads?.[0]?.data;
    return data ? (JSON.parse(Buffer.from(data).toString('utf8')) as JobTail | null) : null;
  });
  return decoded.filter((tail) => tail !== null);
}
