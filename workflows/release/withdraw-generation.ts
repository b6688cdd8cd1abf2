import {
  withdrawGenerationFlow,
  type WithdrawGenerationInput,
  type WithdrawGenerationResult,
} from '../../domain/release/flows/withdrawal-flow.ts';
import { asAct } from '../shared/act.ts';
import { lastingCommitActivities, ledgerActivities } from './activities.ts';

/**
 * Takes a promoted generation back to a draft (docs/release.md). The decision is recorded first; then the tag is removed,
 * for as long as that takes.
 */
export function withdrawGeneration(input: WithdrawGenerationInput): Promise<WithdrawGenerationResult> {
  return asAct(withdrawGenerationFlow, input, async (given): Promise<WithdrawGenerationResult> => {
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
