import { authorsOf, MOST_COMMITS_WITH_AUTHORS } from '../../../domain/release/promotion/authors.ts';
import type { Uncovered } from '../../../domain/release/promotion/gates.ts';
import type { CoverCommits, Coverage } from '../../../domain/release/promotion/promotion.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Mgit } from '../../mgit/index.ts';
import { readJson } from '../pipelines/stored-plan.ts';
import type { StoredProofs } from './prepare-promotion.ts';
import { releaseBegins } from '../../../domain/release/promotion/release-before.ts';

/** Proven commits that a result lists: the first of them tell enough. */
const MOST_LISTED = 100;

const WHY = {
  absent: 'is not an ancestor of it, nor is its patch there',
  unknown: 'the remote does not have',
} as const;

/** See `CommitActivities.coverCommits`. */
export async function coverCommits(
  { mgit, blobs }: { readonly mgit: Mgit; readonly blobs: BlobStore },
  { repository: id, packed: { commit, pack }, proofs }: CoverCommits,
  signal: AbortSignal,
): Promise<Coverage> {
  const { version, proven, ...before } = (await readJson(blobs, proofs)) as StoredProofs;
  const repository = await mgit.find(id, { signal });
  const { authors: since } = releaseBegins(version, before, await mgit.findTags(repository, 'v', { signal }));
  const commits = proven.map((each) => each.commit);
  const question = { commit, openPack: () => blobs.open(pack), commits, patches: true };
  return mgit.withHistory(
    repository,
    question,
    async (history) => {
      const cover = await history.cover();
      const uncovered = proven.flatMap((each): Uncovered[] => {
        const how = cover.get(each.commit) ?? 'unknown';
        return how === 'absent' || how === 'unknown' ? [{ ...each, why: WHY[how] }] : [];
      });
      // one more shows that there are too many
      const authors = authorsOf(await history.log(since, MOST_COMMITS_WITH_AUTHORS + 1));
      return { proofs, uncovered: uncovered.slice(0, MOST_LISTED), authors };
    },
    { signal },
  );
}
