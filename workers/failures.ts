import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { FAILURES, LonghaulError } from '../domain/failures.ts';

/** Turns an anticipated failure into Temporal's, by its name; anything else keeps its own stack. */
export function toApplicationFailure(error: unknown): unknown {
  if (!(error instanceof LonghaulError)) return error;
  const { retryable } = FAILURES[error.type];
  return ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable: !retryable,
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
        throw toApplicationFailure(error);
      }
    },
  },
});
