import {
  withdrawGenerationFlow,
  type WithdrawGenerationInput,
  type WithdrawGenerationResult,
} from '../../domain/release/flows/withdrawal-flow.ts';
import { underLock } from '../shared/child.ts';
import { checked } from '../shared/input.ts';
import { lastingCommitActivities, ledgerActivities } from './activities.ts';

/**
 * Takes a promoted generation back to a draft (docs/release.md). The decision is recorded first; then the tag is removed,
 * for as long as that takes.
 */
export async function withdrawGeneration(input: WithdrawGenerationInput): Promise<WithdrawGenerationResult> {
  const given = await checked(withdrawGenerationFlow, input);
  return underLock(withdrawGenerationFlow, given, async (): Promise<WithdrawGenerationResult> => {
    const { repository, version, tag } = given;
    const { object } = await ledgerActivities.withdrawGeneration.executeWithOptions(
      { summary: 'record the decision' },
      [given],
    );
    if (tag === 'keep' || object === null) return { version, tag: 'kept' };
    const removal = await lastingCommitActivities.removeTag.executeWithOptions({ summary: `remove ${version}` }, [
      { repository, tag: { name: version, object } },
    ]);
    return { version, tag: removal };
  });
}
