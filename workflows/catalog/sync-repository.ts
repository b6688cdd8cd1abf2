import { isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import type { IngestStreamInput, RepositoryOutcome, SyncRepositoryInput } from '../../domain/catalog/flows.ts';
import { describeOutcome } from '../../domain/catalog/progress.ts';
import { repositoryName } from '../../domain/catalog/repository.ts';
import { failureOf } from '../shared/failure.ts';
import { checked } from '../shared/input.ts';
import { underLock } from '../shared/lock.ts';
import { indexing } from './activities.ts';
import { lockOf } from './lock.ts';

/**
 * Brings the index of one repository to where its HEAD is: mgit's differential since the receipt, streamed into Weaviate,
 * the receipt last. Its workflow id `sync/<repository id>` is the lock; on failure the old receipt stays, and the next run
 * repairs (seed 000, workflows 1 to 3).
 */
export async function syncRepository(input: SyncRepositoryInput): Promise<RepositoryOutcome> {
  const question = await checked<SyncRepositoryInput>('syncRepository', input);
  const { repository, build } = question;
  const id = typeof repository === 'string' ? repository : repository.id;
  return underLock({
    ...lockOf(id, build),
    type: 'syncRepository',
    input: question,
    work: () =>
      reported(id, () =>
        indexing.indexRepository.executeWithOptions({ summary: `mgit diff ${repositoryName(id)} | index` }, [question]),
      ),
  });
}

/** Ingests a change stream that another producer made and `longhaul index stdin` spooled (contracts of seed 000). */
export async function ingestStream(input: IngestStreamInput): Promise<RepositoryOutcome> {
  const { repository, stream } = await checked<IngestStreamInput>('ingestStream', input);
  return underLock({
    ...lockOf(repository),
    type: 'ingestStream',
    input: { repository, stream },
    work: () =>
      reported(repository, () =>
        indexing.ingestStream.executeWithOptions({ summary: `index the stream of ${repositoryName(repository)}` }, [
          { repository, stream },
        ]),
      ),
  });
}

/** Takes one repository out of the index: its objects first, its receipt last. */
export async function removeRepository(input: { readonly repository: string }): Promise<RepositoryOutcome> {
  const { repository } = await checked<{ repository: string }>('removeRepository', input);
  return underLock({
    ...lockOf(repository),
    type: 'removeRepository',
    input: { repository },
    work: () =>
      indexing.removeRepository.executeWithOptions({ summary: `remove ${repositoryName(repository)} from the index` }, [
        { repository },
      ]),
  });
}

/** Runs one repository's work and tells the log how it ended, as seed 000 workflow 8 names the events. */
async function reported(id: string, work: () => Promise<RepositoryOutcome>): Promise<RepositoryOutcome> {
  const repo = repositoryName(id);
  try {
    const outcome = await work();
    log.info('sync_repo_success', {
      event: 'sync_repo_success',
      repo,
      files_changed: outcome.filesChanged,
      duration_ms: outcome.durationMs,
    });
    setCurrentDetails(describeOutcome(outcome));
    return outcome;
  } catch (error) {
    if (!isCancellation(error)) {
      log.error('sync_repo_failed', { event: 'sync_repo_failed', repo, error: failureOf(id, error).error });
    }
    throw error;
  }
}
