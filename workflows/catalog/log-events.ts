import { isCancellation } from '@temporalio/workflow';
import { repositoryName } from '../../domain/git/repository.ts';
import type { RepositoryFailed, Verb } from '../../domain/shared/events.ts';
import { logEvent } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';

/** Runs one repository's work and logs its failure; a cancellation is not a failure. */
export async function loggingFailure<Result>(
  verb: Verb,
  id: string,
  named: Pick<RepositoryFailed, 'group'>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isCancellation(error)) {
      const { type, error: reason } = failureOf(error);
      logEvent(`${verb}_repo_failed`, { repo: repositoryName(id), type, error: reason, ...named });
    }
    throw error;
  }
}
