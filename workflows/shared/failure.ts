import { ApplicationFailure, isCancellation, TerminatedFailure, TimeoutFailure } from '@temporalio/workflow';
import { isFailureType } from '../../domain/shared/failures.ts';
import { clipError, type RepositoryFailure } from '../../domain/fleet/failure.ts';

/** The failure of a repository whose lock another run holds. */
export function busy(repository: string): RepositoryFailure {
  return { repository, type: 'RepositoryBusy', error: `Another run is working on ${repository}.` };
}

/** The deepest cause of a failure, as one sentence with the type that the documentation lists. */
export function failureOf(repository: string, error: unknown): RepositoryFailure {
  if (isCancellation(error)) return { repository, type: 'Cancelled', error: 'the run was cancelled' };
  let deepest: unknown = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) {
    if (deepest instanceof ApplicationFailure && isFailureType(deepest.type)) break;
    deepest = deepest.cause;
  }
  if (deepest instanceof TimeoutFailure) {
    return { repository, type: 'ServerUnavailable', error: `no worker finished in time (${deepest.message})` };
  }
  if (deepest instanceof TerminatedFailure) {
    return { repository, type: 'Cancelled', error: 'its run was terminated' };
  }
  const type = deepest instanceof ApplicationFailure && isFailureType(deepest.type) ? deepest.type : 'Unexpected';
  return { repository, type, error: clipError(deepest instanceof Error ? deepest.message : String(deepest)) };
}
