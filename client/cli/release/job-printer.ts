import type { JobState } from '../../../domain/release/flows/pipeline-flows.ts';
import type { JobTail } from '../../../domain/release/pipelines/job.ts';
import type { Output } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';

/** Shows what is new. Tails come before the states. */
export interface JobPrinter {
  /** Prints the jobs whose state has changed. */
  states(states: readonly JobState[]): void;
  /** Prints the lines of a job that were not printed yet. */
  tail(tail: JobTail): void;
}

/** A mark for each state of a job or step. */
export const SIGNS: Readonly<Record<JobState['state'], string>> = {
  waiting: '.',
  running: '>',
  passed: '+',
  failed: 'x',
  skipped: '-',
  cancelled: '!',
};

/** A {@link JobPrinter} that writes lines. */
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
