import { isCancellation } from '@temporalio/workflow';
import { repositoryName } from '../../domain/git/repository.ts';
import type { RepositoryFailed, Verb } from '../../domain/shared/events.ts';
import { tell } from '../shared/events.ts';
import { failureOf } from '../shared/failure.ts';

/** Does one repository's work, and tells the log when it fails; a cancellation is no failure of it. */
export async function tellingFailure<Result>(
  verb: Verb,
  id: string,
  named: Pick<RepositoryFailed, 'group'>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isCancellation(error)) {
      const { type, error: reason } = failureOf(id, error);
      tell(`${verb}_repo_failed`, { repo: repositoryName(id), type, error: reason, ...named });
    }
    throw error;
  }
}
