import type { Uncovered } from '../../../domain/release/promotion/gates.ts';
import type { CoverCommits, Coverage } from '../../../domain/release/promotion/promotion.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Mgit } from '../../mgit/index.ts';
import { readJson } from '../pipelines/stored-plan.ts';
import type { StoredProofs } from './prepare-promotion.ts';
import { releaseBegins } from './release-before.ts';

/** Proven commits that a result lists: the first of them tell enough. */
const MOST_LISTED = 100;
/** Commits whose authors are collected, and authors of a result. */
const MOST_COMMITS = 10_000;
const MOST_AUTHORS = 200;

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
      const log = await history.log(since, MOST_COMMITS);
      const authors = [...new Set(log.flatMap((each) => each.authors))];
      return { proofs, uncovered: uncovered.slice(0, MOST_LISTED), authors: authors.slice(0, MOST_AUTHORS) };
    },
    { signal },
  );
}
