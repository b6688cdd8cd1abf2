import { branchOfRef } from '../../../domain/git/branch.ts';
import { authorsOf, MOST_COMMITS_WITH_AUTHORS } from '../../../domain/release/promotion/authors.ts';
import type { Uncovered } from '../../../domain/release/promotion/gates.ts';
import type { CoverCommits, Coverage } from '../../../domain/release/promotion/promotion.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { branchHeads } from '../branch-heads.ts';
import type { Mgit } from '../../mgit/index.ts';
import { readJson } from '../pipelines/stored-plan.ts';
import type { StoredProofs } from './prepare-promotion.ts';
import { storeDefaultPolicies } from './default-policies.ts';
import { releaseBegins } from '../../../domain/release/promotion/release-before.ts';

/** Proven commits that a result lists: the first of them tell enough. */
const MOST_LISTED = 100;

const WHY = {
  absent: 'is not an ancestor of it, nor is its patch there',
  unknown: 'the remote does not have',
} as const;

/** What the question needs. */
interface CoverTools {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  /** Names or patterns of the branches that are released in addition to the default branch. */
  readonly protectedBranches: readonly string[];
}

/** The head of a branch; the branch is null for a default one that has no name. */
interface NamedHead {
  readonly branch: string | null;
  readonly commit: string;
}

/** See `CommitActivities.coverCommits`. */
export async function coverCommits(
  { mgit, blobs, protectedBranches }: CoverTools,
  { repository: id, kind, packed: { commit, pack }, proofs }: CoverCommits,
  signal: AbortSignal,
): Promise<Coverage> {
  const { version, proven, ...before } = (await readJson(blobs, proofs)) as StoredProofs;
  const repository = await mgit.find(id, { signal });
  const { authors: since } = releaseBegins(version, before, await mgit.findTags(repository, 'v', { signal }));
  const firstWith = async (heads: readonly NamedHead[]): Promise<NamedHead | null> => {
    for (const each of heads) {
      if ((await mgit.containedCommits(repository, each.commit, [commit], { signal })).length > 0) return each;
    }
    return null;
  };
  const others = kind === 'hotfix' ? [] : protectedBranches;
  const head = await branchHeads(mgit, repository, others, signal);
  const tip = head === null || /^0+$/.test(head.commit) ? null : head.commit;
  const policies =
    tip === null || tip === commit ? null : await storeDefaultPolicies({ mgit, blobs, repository, head: tip }, signal);
  // a hotfix is not merged yet
  const heads = [
    ...(tip === null ? [] : [{ branch: head?.branch ?? null, commit: tip }]),
    ...[...(head?.branches ?? [])].map(([ref, at]) => ({ branch: branchOfRef(ref), commit: at })),
  ];
  const found = kind === 'hotfix' ? null : await firstWith(heads);
  // a hotfix is not merged yet
  const isReleased = kind === 'hotfix' || found !== null;
  const outside = isReleased ? null : branchNames(head?.branch ?? null, others);
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
      return {
        proofs,
        outside,
        policies,
        uncovered: uncovered.slice(0, MOST_LISTED),
        authors,
        branch: found?.branch ?? null,
      };
    },
    { signal },
  );
}

function branchNames(ofHead: string | null, others: readonly string[]): readonly string[] {
  return [
    ofHead === null ? 'the default branch' : `the default branch ${ofHead}`,
    ...others.filter((name) => name !== ofHead),
  ];
}
