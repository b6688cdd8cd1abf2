import { defineSignal, setHandler } from '@temporalio/workflow';
import { announcePromotionFlow, type AnnouncePromotionInput } from '../../domain/release/flows/announcement-flow.ts';
import { describePart, type PartEnd } from '../../domain/release/promotion/publication.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { underLock } from '../shared/child.ts';
import { checked } from '../shared/input.ts';
import { recordingRefusal } from '../shared/act.ts';
import { lastingCommitActivities, lastingLedgerActivities } from './activities.ts';

/** The promotion does not wait for the announcement any more. */
export const leftSignal = defineSignal('left');

/**
 * Announces a promotion to a channel (docs/release.md), and repeats that until the channel takes it. It is a flow of its
 * own so that the promotion, which has the lock of the generation, need not wait. A promotion that waits records the end
 * in the audit trail; otherwise this does.
 */
export async function announcePromotion(input: AnnouncePromotionInput): Promise<PartEnd> {
  const state = { isLeft: false };
  setHandler(leftSignal, () => void (state.isLeft = true), {
    description: 'The promotion has ended: record the end of the announcement',
  });
  const given = await checked(announcePromotionFlow, input);
  return underLock(announcePromotionFlow, given, async () => {
    try {
      return await announce(given, state);
    } catch (error) {
      if (!state.isLeft) throw error;
      return recordingRefusal(announcePromotionFlow, given, () => Promise.reject(error));
    }
  });
}

async function announce(
  { notes, attempts, ...promotion }: CheckedOf<typeof announcePromotionFlow>,
  state: { readonly isLeft: boolean },
): Promise<PartEnd> {
  const { repository, version, channel, by } = promotion;
  const part = { kind: 'announcement', name: channel, attempts } as const;
  const end = await lastingCommitActivities.announcePromotion.executeWithOptions(
    { summary: `announce to ${channel}`.slice(0, 200) },
    [promotion],
  );
  await lastingLedgerActivities.recordPart.executeWithOptions({ summary: `record ${channel}`.slice(0, 200) }, [
    { repository, version, part, end },
  ]);
  if (state.isLeft) {
    await lastingLedgerActivities.recordPublication.executeWithOptions({ summary: 'record the publication' }, [
      { repository, version, notes, published: [describePart(part, end)], by },
    ]);
  }
  return end;
}
