import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { FailureType } from '../../../domain/shared/failures.ts';

/** An error as plain data, for another thread or process, where its class would be lost. */
export interface PackedFailure {
  /** Null for an unexpected error. */
  readonly type: FailureType | null;
  readonly message: string;
  readonly stack: string | undefined;
}

/** Converts an error to plain data. */
export function packFailure(error: unknown): PackedFailure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { type: error instanceof LonghaulError ? error.type : null, message, stack };
}

/** Recreates an error with the same type, message and stack. */
export function unpackFailure({ type, message, stack }: PackedFailure): Error {
  const error = type === null ? new Error(message) : new LonghaulError(type, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
