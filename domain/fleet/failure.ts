import type { FailureType } from '../shared/failures.ts';
import { redact } from '../shared/redact.ts';

/** A repository that could not be brought up to date; its old receipt stays. */
export interface RepositoryFailure {
  readonly repository: string;
  readonly type: FailureType | 'Unexpected';
  readonly error: string;
  /** When its receipt was written, ISO 8601; missing without a receipt, or when it was not read. */
  readonly indexedAt?: string;
  /** Consecutive failed runs, according to the results of the schedule's runs. */
  readonly inARow?: number;
}

/** How many failures a {@link FleetResult} lists; further ones are only counted. */
export const FAILURES_KEPT = 200;

/** A result can contain hundreds of errors, and tools may print a lot. */
const LONGEST_ERROR = 500;

/** The error without secrets, shortened to fit into a result with many others. */
export function clipError(error: string): string {
  const text = redact(error);
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR - 1)}…` : text;
}
