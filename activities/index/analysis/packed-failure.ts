import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { FailureType } from '../../../domain/shared/failures.ts';

/** An error on its way from another thread or process, where the class would be lost. */
export interface PackedFailure {
  /** Null for what nobody anticipated. */
  readonly type: FailureType | null;
  readonly message: string;
  readonly stack: string | undefined;
}

/** Makes plain data of an error. */
export function packFailure(error: unknown): PackedFailure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { type: error instanceof LonghaulError ? error.type : null, message, stack };
}

/** Makes an error of the same type, message and stack. */
export function unpackFailure({ type, message, stack }: PackedFailure): Error {
  const error = type === null ? new Error(message) : new LonghaulError(type, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
