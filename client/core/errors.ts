import type { CliIo } from './io.ts';
import { printable } from './sanitize.ts';
import { diskFailure, FAILURES, type FailureType, isFailureType } from '../../domain/shared/failures.ts';

/** An error as the command line shows it. */
export interface ShownError {
  readonly type: FailureType | 'Unexpected';
  /** One sentence: what is wrong and where. */
  readonly message: string;
  /** What to do about it; null when unknown. */
  readonly remedy: string | null;
  readonly exitCode: number;
}

/** The error of the deepest cause with a known type, else of the deepest cause. */
export function shownError(error: unknown): ShownError {
  let deepest: unknown = error;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    deepest = at;
    if (isFailureType(typeOf(at))) break;
  }
  const type = typeOf(deepest);
  const message = deepest instanceof Error ? deepest.message : String(deepest);
  if (isFailureType(type)) return named(type, message);
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at.name === 'CancelledFailure') return named('Cancelled', 'The run was cancelled.');
    if (at.name === 'TerminatedFailure') return named('Cancelled', 'The run was terminated.');
    if (at.name === 'WorkflowNotFoundError') return named('InvalidInput', `There is no such run: ${at.message}.`);
    // readline's own error for Ctrl-C and Ctrl-D at a question
    if (at.name === 'AbortError') {
      return {
        type: 'Cancelled',
        message: 'Not answered.',
        remedy: 'A started flow waits: answer it in the UI, or run the same command again.',
        exitCode: INTERRUPTED,
      };
    }
  }
  const disk = diskFailure(deepest);
  if (disk !== null) return named(disk.type, disk.message);
  const refused = connectionProblem(error);
  if (refused !== null) return named('ServerUnavailable', refused);
  return { type: 'Unexpected', message, remedy: null, exitCode: 70 };
}

/** The exit code of several failures, reported together: the highest of theirs; 0 without failures. */
export function worstExitCode(failures: readonly Pick<ShownError, 'exitCode'>[]): number {
  return Math.max(0, ...failures.map(({ exitCode }) => exitCode));
}

/** Exit code of a command that a person interrupted. */
export const INTERRUPTED = 130;

/** Ends a command that a person interrupted, without a further message. */
export class Interrupted extends Error {
  /** Names the error in logs. */
  override readonly name = 'Interrupted';
}

/** Prints an error: one sentence and the remedy on stderr, or one JSON object on stdout. Returns the exit code. */
export function printError(error: unknown, json: boolean, { stdout, stderr, env }: CliIo): number {
  if (error instanceof Interrupted) return INTERRUPTED;
  const { type, message, remedy, exitCode } = shownError(error);
  if (json) stdout.write(`${JSON.stringify({ error: { type, message, remedy } })}\n`);
  else
    stderr.write(`longhaul: ${message.split('\n').map(printable).join('\n')}\n${remedy === null ? '' : `${remedy}\n`}`);
  if (type === 'Unexpected' && error instanceof Error && env['LONGHAUL_DEBUG']) {
    stderr.write(`${error.stack ?? ''}\n`);
  }
  return exitCode;
}

function named(type: FailureType, message: string): ShownError {
  const { remedy, exitCode } = FAILURES[type];
  return { type, message, remedy, exitCode };
}

function typeOf(error: unknown): unknown {
  return error instanceof Error && 'type' in error ? error.type : undefined;
}

function connectionProblem(error: unknown): string | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (/ECONNREFUSED|UNAVAILABLE|No connection established|Failed to connect/i.test(at.message)) {
      return `A server does not answer: ${at.message}`;
    }
  }
  return null;
}
