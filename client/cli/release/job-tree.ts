import { clearScreenDown, moveCursor } from 'node:readline';
import type { JobState } from '../../../domain/release/flows/pipeline-flows.ts';
import type { JobTail, StepState } from '../../../domain/release/pipelines/job.ts';
import type { Output } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';
import { type JobPrinter, SIGNS } from './job-printer.ts';

/** Lines of the output of a running job. */
const TAIL_LINES = 3;
/** Rows of a terminal that does not say how many it has. */
const ROWS = 24;
/** The terminal cuts long lines instead of wrapping them, so that a line is a row. */
const NO_WRAP = '\u001B[?7l';
const WRAP = '\u001B[?7h';

/** A live tree of jobs and steps on a terminal, drawn again in its place. The last one stays. */
export function createJobTree(stderr: Output): JobPrinter {
  const tails = new Map<string, JobTail>();
  let drawn = 0;
  return {
    tail: (tail) => void tails.set(tail.job, tail),
    states(states) {
      const lines = fitted(states, tails, Math.max(1, (stderr.rows ?? ROWS) - 1), Date.now());
      if (drawn > 0) {
        moveCursor(stderr, 0, -drawn);
        clearScreenDown(stderr);
      }
      stderr.write(`${NO_WRAP}${lines.map((line) => `${line}\n`).join('')}${WRAP}`);
      drawn = lines.length;
    },
  };
}

/** The lines of the tree, at most as many as the terminal has: what has ended well is left out first. */
function fitted(
  states: readonly JobState[],
  tails: ReadonlyMap<string, JobTail>,
  most: number,
  now: number,
): readonly string[] {
  const everything = states.flatMap((state) => linesOf(state, tails.get(state.id), now));
  if (everything.length <= most) return everything;
  const short = states.flatMap((state) =>
    state.state === 'running' || state.state === 'failed'
      ? linesOf(state, tails.get(state.id), now)
      : [jobLine(state, undefined, now)],
  );
  if (short.length <= most) return short;
  const open = states.filter(({ state }) => state === 'running' || state === 'failed');
  const others = states.length - open.length;
  const lines = open.flatMap((state) => linesOf(state, tails.get(state.id), now));
  const shown = lines.slice(0, most - 1);
  const left = lines.length > shown.length ? ' and more lines' : '';
  return [...shown, `  … ${others} more jobs${left}`];
}

function linesOf(state: JobState, tail: JobTail | undefined, now: number): readonly string[] {
  const isRunning = state.state === 'running';
  const steps = isRunning ? (tail?.steps ?? []) : state.steps;
  return [
    jobLine(state, tail, now),
    ...steps.map((step) => `  ${SIGNS[step.state]} ${printable(step.name)}${durationOf(step, now)}`),
    ...(isRunning && tail !== undefined ? lastLines(tail).map((line) => `    | ${printable(line)}`) : []),
  ];
}

function jobLine({ id, state, durationMs }: JobState, tail: JobTail | undefined, now: number): string {
  const startedAt = state === 'running' ? (tail?.startedAt ?? null) : null;
  return `${SIGNS[state]} ${printable(id)}: ${state}${durationOf({ startedAt, durationMs }, now)}`;
}

function durationOf({ startedAt, durationMs }: Pick<StepState, 'startedAt' | 'durationMs'>, now: number): string {
  // the clock of the worker may be ahead
  const ms = durationMs ?? (startedAt === null ? null : Math.max(0, now - Date.parse(startedAt)));
  return ms === null ? '' : ` (${(ms / 1_000).toFixed(1)} s)`;
}

function lastLines({ tail }: JobTail): readonly string[] {
  return tail.split('\n').filter(Boolean).slice(-TAIL_LINES);
}
