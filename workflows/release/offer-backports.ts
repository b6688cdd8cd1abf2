import type { ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import { failureOf } from '../shared/failure.ts';
import { lastingCommitActivities, lastingLedgerActivities, pipelineActivities } from './activities.ts';

/**
 * Offers the changes of a promoted hotfix to the open generations of the default branch, as changes that must be proven
 * again (docs/release.md). Contracts are never edited in place: each gets a branch, and a pull request where there are
 * any. Returns a line for each.
 */
export async function offerBackports(
  { repository, version, contracts }: ReleaseCommit,
  { at }: { readonly at: string },
): Promise<readonly string[]> {
  const packed = await lastingCommitActivities.packCommit.executeWithOptions({ summary: 'pack the default branch' }, [
    { repository },
  ]);
  try {
    const { contracts: current } = await pipelineActivities.readCommit.executeWithOptions(
      { summary: 'its contracts' },
      [{ repository, packed }],
    );
    const backports = await lastingLedgerActivities.planBackports.executeWithOptions(
      { summary: 'the open generations' },
      [{ repository, version, contracts, current }],
    );
    const lines: string[] = [];
    for (const backport of backports) {
      const what = `${backport.changes.join(', ')} for ${backport.version}`;
      const offered = await lastingCommitActivities.offerBackport.executeWithOptions(
        { summary: `offer ${what}`.slice(0, 200) },
        [{ repository, hotfix: version, at, from: packed.commit, backport }],
      );
      if (offered !== null) lines.push(`${what}: ${offered}`);
    }
    return lines;
  } catch (error) {
    const { type, error: message } = failureOf(error);
    // the hotfix is released, whatever the default branch declares
    if (type !== 'InvalidConfiguration') throw error;
    return [`open generations: not offered (${message.split('\n')[0] ?? ''})`];
  }
}
