import { isCancellation, log, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type {
  IngestStreamInput,
  RemoveRepositoryInput,
  SyncRepositoryInput,
} from '../../domain/catalog/flows/flows.ts';
import type { RepositoryOutcome } from '../../domain/catalog/flows/fleet.ts';
import { describeOutcome } from '../../domain/catalog/flows/progress.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import { underLock } from '../shared/child.ts';
import { logEvent } from '../shared/events.ts';
import {
  ingestStreamFlow,
  removeRepositoryFlow,
  syncRepositoryFlow,
} from '../../domain/catalog/flows/repository-flows.ts';
import { checked } from '../shared/input.ts';
import { isPatched } from '../shared/patches.ts';
import { groupActivities, indexActivities } from './activities.ts';
import { loggingFailure } from './log-events.ts';

/**
 * Brings the index of one repository up to date with its HEAD and its indexed branches, one ref after another: streams
 * mgit's differential since the receipt into Weaviate, and writes the receipt last. Its workflow id
 * `sync/<repository id>` is the lock. On failure the old receipt stays, and the next run repairs (docs/flows.md).
 */
export async function syncRepository(input: SyncRepositoryInput): Promise<RepositoryOutcome> {
  const question = await checked(syncRepositoryFlow, input);
  const { repository, group } = question;
  const id = typeof repository === 'string' ? repository : repository.id;
  return underLock(syncRepositoryFlow, question, () =>
    reported(id, group, () =>
      indexActivities.indexRepository.executeWithOptions({ summary: `mgit diff ${repositoryName(id)} | index` }, [
        question,
      ]),
    ),
  );
}

/** Ingests a change stream of another producer, which `longhaul index stdin` spooled (docs/flows.md). */
export async function ingestStream(input: IngestStreamInput): Promise<RepositoryOutcome> {
  const question = await checked(ingestStreamFlow, input);
  const { repository, stream } = question;
  return underLock(ingestStreamFlow, question, async () => {
    const outcome = await reported(repository, undefined, () =>
      indexActivities.ingestStream.executeWithOptions(
        { summary: `index the stream of ${repositoryName(repository)}` },
        [question],
      ),
    );
    if (isPatched('flow-discards-its-stream')) await discard(repository, stream);
    return outcome;
  });
}

/** Deletes a stream that was ingested. A failure is only logged, because old streams are deleted anyway. */
async function discard(repository: string, stream: string): Promise<void> {
  const before = workflowInfo().startTime.getTime();
  try {
    await groupActivities.discardStream.executeWithOptions(
      { summary: 'delete the stream', scheduleToCloseTimeout: '10 minutes' },
      [{ repository, stream, before }],
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('The ingested stream was not deleted.', { repository, stream, error: String(error) });
  }
}

/** Removes one repository, or one branch of it, from the index: objects first, receipts last. */
export async function removeRepository(input: RemoveRepositoryInput): Promise<RepositoryOutcome> {
  const question = await checked(removeRepositoryFlow, input);
  const { repository, branch } = question;
  return underLock(removeRepositoryFlow, question, async () => {
    const repo = repositoryName(repository);
    const outcome = await loggingFailure('remove', repository, {}, () =>
      indexActivities.removeRepository.executeWithOptions(
        { summary: `remove ${branch === undefined ? '' : `${branch} of `}${repo} from the index`.slice(0, 200) },
        [question],
      ),
    );
    const { objectsDeleted, durationMs } = outcome;
    logEvent('remove_repo_success', { repo, objects_deleted: objectsDeleted, duration_ms: durationMs });
    return outcome;
  });
}

/** Runs one repository's work and logs how it ended (docs/events.md). */
async function reported(
  id: string,
  group: string | undefined,
  work: () => Promise<RepositoryOutcome>,
): Promise<RepositoryOutcome> {
  const named = group === undefined ? {} : { group };
  const outcome = await loggingFailure('sync', id, named, work);
  logEvent('sync_repo_success', {
    repo: repositoryName(id),
    files_changed: outcome.filesChanged,
    duration_ms: outcome.durationMs,
    ...named,
  });
  setCurrentDetails(describeOutcome(outcome));
  return outcome;
}
