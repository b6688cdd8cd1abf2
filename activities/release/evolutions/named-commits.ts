import { changesNamed } from '../../../domain/release/contracts/change.ts';
import type { FindNamedCommits, NamedCommit } from '../../../domain/release/evolutions/evolution.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Mgit } from '../../mgit/index.ts';

/** Commits of a push whose messages are read: the newest. */
const MOST_PUSHED = 250;

/** See `CommitActivities.findNamedCommits`. */
export async function findNamedCommits(
  { mgit, blobs }: { readonly mgit: Mgit; readonly blobs: BlobStore },
  { repository: id, packed: { commit, pack }, before, changes }: FindNamedCommits,
  signal: AbortSignal,
): Promise<readonly NamedCommit[]> {
  const repository = await mgit.find(id, { signal });
  const since = before ?? (await defaultCommit(mgit, repository, signal));
  const commits = since === null ? [] : [since];
  const question = { commit, openPack: () => blobs.open(pack), commits, patches: false };
  const log = await mgit.withHistory(
    repository,
    question,
    async (history) => {
      // the remote may have lost it: everything before it would count as pushed
      const isKnown = since !== null && ['ancestor', 'absent'].includes((await history.cover()).get(since) ?? '');
      const pushed = await history.log(since, isKnown ? MOST_PUSHED : 1);
      // the default branch itself is new, or another branch has all of it
      return pushed.length === 0 ? history.log(null, 1) : pushed;
    },
    { signal },
  );
  return changes.flatMap((change): NamedCommit[] => {
    const newest = log.find(({ message }) => changesNamed(message).includes(change));
    return newest === undefined ? [] : [{ change, commit: newest.commit }];
  });
}

/** The head of the default branch; null when there is none. */
async function defaultCommit(
  mgit: Mgit,
  repository: Awaited<ReturnType<Mgit['find']>>,
  signal: AbortSignal,
): Promise<string | null> {
  const head = (await mgit.heads([repository], { signal })).get(repository.id);
  if (head instanceof LonghaulError) throw head;
  return head === undefined || /^0+$/.test(head.commit) ? null : head.commit;
}
