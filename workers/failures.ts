import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { diskFailure, FAILURES, LonghaulError, TRIES_WHEN_UNEXPECTED } from '../domain/failures.ts';

/**
 * Turns what an activity threw at its `attempt`-th try into Temporal's failure: an anticipated one by its name, tried as
 * often as {@link FAILURES} says; anything else keeps its own stack, and is not tried for ever.
 */
export function toApplicationFailure(thrown: unknown, attempt: number): unknown {
  const error = diskFailure(thrown) ?? thrown;
  if (!(error instanceof LonghaulError)) {
    if (attempt < TRIES_WHEN_UNEXPECTED || !(error instanceof Error) || error instanceof ApplicationFailure)
      return error;
    if (error.name === 'CancelledFailure' || error.name === 'AbortError') return error;
    return ApplicationFailure.fromError(error, { nonRetryable: true });
  }
  const { tries } = FAILURES[error.type];
  return ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable: tries !== null && attempt >= tries,
    ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
    // waiting for a rate limit to pass is not an error
    ...(error.type === 'RateLimited' ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}

/** Applies {@link toApplicationFailure} to whatever an activity throws. */
export const namedFailures: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw toApplicationFailure(error, activityInfo().attempt);
      }
    },
  },
});
