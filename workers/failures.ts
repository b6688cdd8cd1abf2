import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { type BudgetWait, EVENTS } from '../domain/shared/events.ts';
import { diskFailure, FAILURES, LASTING_MS, LonghaulError, TRIES_WHEN_UNEXPECTED } from '../domain/shared/failures.ts';
import { redact } from '../domain/shared/redact.ts';

/**
 * Converts an error of an activity's `attempt`-th try into Temporal's failure. An anticipated one gets its name and as
 * many tries as {@link FAILURES} says; any other keeps its stack and gets a limited number of tries. Secrets are
 * removed before they enter the history.
 */
export function toApplicationFailure(thrown: unknown, attempt: number): unknown {
  const error = diskFailure(thrown) ?? thrown;
  redactChain(error);
  if (!(error instanceof LonghaulError)) {
    if (!(error instanceof Error) || error instanceof ApplicationFailure) return error;
    if (attempt < TRIES_WHEN_UNEXPECTED && !isBug(error)) return error;
    if (error.name === 'CancelledFailure' || error.name === 'AbortError') return error;
    return ApplicationFailure.fromError(error, { nonRetryable: true });
  }
  const { tries } = FAILURES[error.type];
  return ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable: tries !== null && attempt >= tries,
    ...(error.retryAfterMs === undefined
      ? {}
      : {
          nextRetryDelay: error.retryAfterMs,
          // for a flow that waits itself
          details: [{ retryAfterMs: error.retryAfterMs, waitingFor: error.waitingFor }],
        }),
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
    // waiting for a rate limit to pass is not an error
    ...(error.type === 'RateLimited' ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}

/**
 * True for a bug, which a retry cannot fix. `fetch` throws a TypeError with a cause when a connection is lost; a
 * SyntaxError or RangeError may come from an answer that was cut or is not of the server, such as a proxy's page.
 */
function isBug(error: Error): boolean {
  const isProgrammingError = error instanceof TypeError || error instanceof ReferenceError;
  return (
    isProgrammingError &&
    error.cause === undefined &&
    error.message !== 'fetch failed' &&
    error.message !== 'terminated'
  );
}

/** Removes secrets from an error and its causes: all of them are part of the failure. */
function redactChain(thrown: unknown): void {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    for (const part of ['message', 'stack'] as const) {
      const text = error[part];
      const left = text === undefined ? text : redact(text);
      // not assigned: a DOMException has no setter
      if (left !== text) Object.defineProperty(error, part, { value: left, configurable: true, writable: true });
    }
  }
}

/** Number of activities whose failures are remembered: more than are ever retried concurrently. */
const REMEMBERED = 10_000;

/**
 * How often each activity failed with each type, in this process: failures of one kind do not use up the tries of
 * another.
 */
const seen = new Map<string, Map<string, number>>();

/** Applies {@link toApplicationFailure} to every error of an activity; see {@link LASTING_MS}. */
export const namedFailures: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      const { workflowExecution, activityId, scheduleToCloseTimeoutMs } = activityInfo();
      const activity = `${workflowExecution?.runId} ${activityId}`;
      try {
        const result = await next(input);
        seen.delete(activity);
        return result;
      } catch (error) {
        const isLasting = scheduleToCloseTimeoutMs >= LASTING_MS;
        const failure = toApplicationFailure(error, isLasting ? 1 : timesSeen(activity, kindOf(error)));
        if (failure instanceof ApplicationFailure && failure.type === 'RateLimited') logWait(failure, input.args[0]);
        throw failure;
      }
    },
  },
});

/** Logs that an activity is retried only when the server accepts requests again. */
function logWait({ message, nextRetryDelay }: ApplicationFailure, input: unknown): void {
  const { activityType, workflowExecution } = activityInfo();
  const group = (input as { readonly group?: string } | undefined)?.group;
  const wait: BudgetWait = {
    activity: activityType,
    workflow: workflowExecution?.workflowId ?? '',
    until: new Date(Date.now() + Number(nextRetryDelay ?? 0)).toISOString(),
    reason: message,
    ...(group === undefined ? {} : { group }),
  };
  log[EVENTS.budget_wait]('budget_wait', { event: 'budget_wait', ...wait });
}

function timesSeen(activity: string, kind: string): number {
  const failures = seen.get(activity) ?? new Map<string, number>();
  const times = (failures.get(kind) ?? 0) + 1;
  failures.set(kind, times);
  seen.set(activity, failures);
  const [oldest] = seen.keys();
  if (seen.size > REMEMBERED && oldest !== undefined) seen.delete(oldest);
  return times;
}

function kindOf(thrown: unknown): string {
  const error = diskFailure(thrown) ?? thrown;
  return error instanceof LonghaulError ? error.type : 'unexpected';
}
