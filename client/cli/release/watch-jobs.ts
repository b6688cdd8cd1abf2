import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { JobTail } from '../../../domain/release/pipelines/job.ts';
import type { JobState } from '../../../domain/release/flows/pipeline-flows.ts';
import type { Output } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';

/** Interval of requests, in milliseconds. */
const POLL_MS = 500;

/**
 * Prints the jobs of a running pipeline as they start and end, and the lines that they write, until the signal is
 * aborted. What a job writes faster than its tail is reported is left out; its log has all of it.
 */
export async function watchJobs(
  { client, stderr }: { readonly client: Client; readonly stderr: Output },
  workflowId: string,
  signal: AbortSignal,
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const printer = createPrinter(stderr);
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

/** Prints what is new. */
export interface JobPrinter {
  /** Prints the jobs whose state has changed. */
  states(states: readonly JobState[]): void;
  /** Prints the lines of a job that were not printed yet. */
  tail(tail: JobTail): void;
}

const SIGNS: Readonly<Record<JobState['state'], string>> = {
  waiting: '.',
  running: '>',
  passed: '+',
  failed: 'x',
  skipped: '-',
  cancelled: '!',
};

/** Creates a {@link JobPrinter}. */
export function createPrinter(stderr: Output): JobPrinter {
  const known = new Map<string, JobState['state']>();
  const read = new Map<string, number>();
  return {
    states(states) {
      for (const { id, state } of states) {
        if (state !== 'waiting' && known.get(id) !== state)
          stderr.write(`${SIGNS[state]} ${printable(id)}: ${state}\n`);
        known.set(id, state);
      }
    },
    tail({ job, attempt, written, tail }) {
      const key = `${job} ${attempt}`;
      const before = read.get(key) ?? 0;
      // complete lines only: the rest comes with the next report
      const complete = tail.slice(0, tail.lastIndexOf('\n') + 1);
      const upTo = written - (tail.length - complete.length);
      if (upTo <= before) return;
      const fresh = complete.slice(-Math.min(complete.length, upTo - before));
      if (upTo - before > complete.length) stderr.write(`  ${printable(job)} | …\n`);
      for (const line of fresh.split('\n').slice(0, -1)) stderr.write(`  ${printable(job)} | ${printable(line)}\n`);
      read.set(key, upTo);
    },
  };
}
