import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { condition, isCancellation, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { announcePromotionFlow } from '../../domain/release/flows/announcement-flow.ts';
import type { PartEnd } from '../../domain/release/promotion/publication.ts';
import { type CheckedOf, writtenId } from '../../domain/shared/flow.ts';
import { childAttributes } from '../shared/child.ts';
import { leftSignal } from './announce-promotion.ts';

/** How long a promotion waits for its announcements, with the lock of its generation. */
const PATIENCE = '30 seconds';

/**
 * Announces a promotion to a channel in a flow of its own. Returns null when that takes longer than a promotion should
 * stay open: the flow goes on, and records its end. When this is cancelled, so is the announcement.
 */
export async function announceSoon(input: CheckedOf<typeof announcePromotionFlow>): Promise<PartEnd | null> {
  const { type } = announcePromotionFlow;
  const child = await startChild<(given: object) => Promise<PartEnd>>(type, {
    workflowId: writtenId(announcePromotionFlow, input),
    args: [input],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    typedSearchAttributes: childAttributes(announcePromotionFlow.searchAttributes(input)),
    staticSummary: announcePromotionFlow.summary(input),
  }).catch((error: unknown) => {
    // that of an earlier promotion goes on
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  });
  if (child === null) return null;
  const result = child.result();
  let hasEnded = false;
  const onEnd = (): void => void (hasEnded = true);
  result.then(onEnd, onEnd);
  if (await condition(() => hasEnded, PATIENCE)) return result;
  try {
    await child.signal(leftSignal);
    return null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    // it has ended meanwhile
    return result;
  }
}
