import type { FailureType } from '../../domain/shared/failures.ts';

/** Why the gateway itself refuses a request; flows have their own failure types (docs/exit-codes.md). */
export type RefusalType =
  | FailureType
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'TooManyRequests'
  | 'PayloadTooLarge'
  | 'UnsupportedMediaType'
  | 'RequestFailed';

/** A request that is answered with an error. The message never repeats what was sent. */
export class Refusal extends Error {
  /** HTTP status of the answer. */
  readonly statusCode: number;
  /** `type` of the error in the answer. */
  readonly type: RefusalType;
  /** Seconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;

  constructor(statusCode: number, type: RefusalType, message: string, options: { retryAfter?: number } = {}) {
    super(message);
    this.name = 'Refusal';
    this.statusCode = statusCode;
    this.type = type;
    this.retryAfter = options.retryAfter;
  }
}
