import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Forges } from '../../forges/open-forge.ts';
import type { Mgit } from '../../mgit/index.ts';

/** A release to publish. */
export interface PublishRelease {
  readonly repository: string;
  /** The tag, which the remote has. */
  readonly version: string;
  /** Digest of the Markdown. */
  readonly notes: string;
}

/** A hotfix to offer to the default branch. */
export interface OfferHotfix {
  readonly repository: string;
  readonly version: string;
  /** Full oid of the released commit. */
  readonly commit: string;
}

/** An offered hotfix. */
export interface OfferedHotfix {
  readonly branch: string;
  /** Address of the pull request; null for a provider without pull requests. */
  readonly url: string | null;
}

/** What publishing needs. */
interface PublishTools {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  readonly forges: Forges;
}

/** See `CommitActivities.publishRelease`. */
export async function publishRelease(
  { mgit, blobs, forges }: PublishTools,
  { repository: id, version, notes: digest }: PublishRelease,
  signal: AbortSignal,
): Promise<{ readonly url: string } | null> {
  const notes = Buffer.concat((await (await blobs.open(digest)).toArray()) as Buffer[]).toString('utf8');
  return whereThereIsAForge(async () => {
    const forge = forges.of({ id });
    const repository = await mgit.find(id, { signal });
    const { url } = await forge.putRelease(repository, { tag: version, title: version, notes }, signal);
    return { url };
  });
}

/** See `CommitActivities.offerHotfix`. */
export async function offerHotfix(
  { mgit, forges }: PublishTools,
  { repository: id, version, commit }: OfferHotfix,
  signal: AbortSignal,
): Promise<OfferedHotfix> {
  const repository = await mgit.find(id, { signal });
  const head = `longhaul/merge-${version}`;
  await mgit.pushBranch(repository, { name: head, from: commit, mayHaveGrown: true }, { signal });
  const found = (await mgit.heads([repository], { signal })).get(id);
  if (found instanceof LonghaulError) throw found;
  const base = found?.branch ?? null;
  const pull =
    base === null
      ? null
      : await whereThereIsAForge(() =>
          forges.of({ id }).putPull(
            repository,
            {
              head,
              base,
              title: `fix: merge the hotfix ${version}`,
              body: `${version} was released from ${commit}. This brings its fix to ${base}.`,
            },
            signal,
          ),
        );
  return { branch: head, url: pull?.url ?? null };
}

/** Null for a provider that has only git. */
async function whereThereIsAForge<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'NoForge') return null;
    throw error;
  }
}
