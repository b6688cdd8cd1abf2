import { ApplicationFailure, isCancellation, TerminatedFailure, TimeoutFailure } from '@temporalio/workflow';
import { clipError, type RepositoryFailure } from '../../domain/fleet/failure.ts';
import { isFailureType } from '../../domain/shared/failures.ts';

/**
 * The deepest cause of a failure, as one sentence with the type that the documentation lists. This reads a failure that
 * has a name already; the functions `failureOfGit`, `failureOfWeaviate` and so on give the errors of one foreign system
 * their names, next to the code that calls it.
 */
export function failureOf(error: unknown): Pick<RepositoryFailure, 'type' | 'error'> {
  if (isCancellation(error)) return { type: 'Cancelled', error: 'the run was cancelled' };
  let deepest: unknown = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) {
    if (deepest instanceof ApplicationFailure && isFailureType(deepest.type)) break;
    deepest = deepest.cause;
  }
  if (deepest instanceof TimeoutFailure) {
    return { type: 'ServerUnavailable', error: `no worker finished in time (${deepest.message})` };
  }
  if (deepest instanceof TerminatedFailure) return { type: 'Cancelled', error: 'its run was terminated' };
  const type = deepest instanceof ApplicationFailure && isFailureType(deepest.type) ? deepest.type : 'Unexpected';
  return { type, error: clipError(deepest instanceof Error ? deepest.message : String(deepest)) };
}
