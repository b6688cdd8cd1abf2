import type { SharedFile, SharedText } from '../../../domain/release/deployment/shared-file.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Mgit } from '../../mgit/index.ts';
import { branchHeads } from '../branch-heads.ts';
import { storeText } from '../pipelines/stored-plan.ts';

/** Asks for a file that several repositories share. */
export interface ReadShared extends SharedFile {
  /** Id of the repository whose contracts name it. */
  readonly neededBy: string;
}

/** Bytes of the file: more are a mistake. */
const MOST_BYTES = 1_000_000;

/**
 * Stores a file of another repository, as the head of the default branch has it. Throws `InvalidConfiguration` for a
 * repository that the configuration does not know, and for a file that is not there.
 */
export async function readShared(
  { mgit, blobs }: { readonly mgit: Mgit; readonly blobs: BlobStore },
  { repository: id, path, neededBy }: ReadShared,
  signal: AbortSignal,
): Promise<SharedText> {
  const about = `The environments of ${neededBy} come from ${path} of ${id}`;
  const repository = await mgit.find(id, { signal }).catch((error: unknown) => {
    if (!(error instanceof LonghaulError) || error.type !== 'RepositoryNotFound') throw error;
    throw new LonghaulError('InvalidConfiguration', `${about}: ${error.message}`, { cause: error });
  });
  const { commit } = (await branchHeads(mgit, repository, [], signal)) ?? {};
  if (commit === undefined || /^0+$/u.test(commit)) {
    throw new LonghaulError('InvalidConfiguration', `${about}, which has no commit.`);
  }
  const file = await mgit.readFile(repository, commit, path, { signal });
  if (file?.content == null) {
    throw new LonghaulError('InvalidConfiguration', `${about}: there is no such file at ${commit.slice(0, 12)}.`);
  }
  if (file.content.length > MOST_BYTES) {
    throw new LonghaulError('InvalidConfiguration', `${about}: the file has more than ${MOST_BYTES} bytes.`);
  }
  return { repository: id, path, commit, text: await storeText(blobs, Buffer.from(file.content).toString('utf8')) };
}
