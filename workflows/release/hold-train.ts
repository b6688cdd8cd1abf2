import { ActivityFailure, sleep, workflowInfo } from '@temporalio/workflow';
import type { FailureType } from '../../domain/shared/failures.ts';
import { isLocked } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
import type { TrainWork } from './plan-train.ts';

/** The first pause of a train that holds. */
const SHORTEST_MS = 10_000;
/** The longest pause. */
const LONGEST_MS = 3_600_000;

/** Failures of a look that others can repair: the train waits for that. */
const WAITED_FOR: readonly FailureType[] = [
  'InvalidConfiguration',
  'GenerationDiffers',
  'ServerUnavailable',
  'PushRefused',
  'TagConflict',
];

/** What a look finds: the work is done, or what it waits for, a sentence each. */
export type Look<Result> =
  | { readonly done: Result }
  | { readonly version: string | null; readonly waitsFor: readonly string[] };

/**
 * How long a train holds until it looks again, in milliseconds: a tenth of the time since it began to hold. So it leaves
 * soon after it can, and at the latest an hour.
 */
export function pauseOfHold(heldMs: number): number {
  return Math.min(Math.max(heldMs / 10, SHORTEST_MS), LONGEST_MS);
}

/** Looks until the work is done. Says meanwhile what it waits for; records it, with `record`, when that changes. */
export async function holding<Result>(
  {
    show,
    record,
    heldSince,
    renew,
  }: Pick<TrainWork, 'show' | 'heldSince' | 'renew'> & Partial<Pick<TrainWork, 'record'>>,
  look: () => Promise<Look<Result>>,
): Promise<Result> {
  const began = heldSince() ?? Date.now();
  let recorded = '';
  for (;;) {
    const found = await look().catch(reasonOf);
    if ('done' in found) return found.done;
    const { version, waitsFor } = found;
    const key = JSON.stringify(waitsFor);
    if (record !== undefined && key !== recorded) await record('held', version, waitsFor);
    recorded = key;
    show('holds, and waits for:', ...waitsFor);
    await sleep(pauseOfHold(Date.now() - began), { summary: 'holds' });
    if (workflowInfo().continueAsNewSuggested) await renew(began);
  }
}

function reasonOf(error: unknown): { readonly version: null; readonly waitsFor: readonly string[] } {
  const { type, error: message } = failureOf(error);
  const isLook = error instanceof ActivityFailure || isLocked(error);
  if (!isLook || !WAITED_FOR.some((each) => each === type)) throw error;
  return { version: null, waitsFor: [message] };
}
