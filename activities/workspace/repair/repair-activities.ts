import { Readable } from 'node:stream';
import { heartbeating } from '../../shared/heartbeating.ts';
import { refuseOtherPlaces } from '../allowed-place.ts';
import { fewSentences, fewSentencesEach } from '../few-sentences.ts';
import type { HostTools, WorkspaceOfHost } from '../host-activities.ts';
import { planRepair, type RepairPlan } from './plan-repair.ts';

/** {@link RepairPlan}, with its file in the blob store. */
export type StoredRepairPlan = Omit<RepairPlan, 'bytes'> & {
  /** SHA-256 of the plan; null when nothing has to be done. */
  readonly plan: string | null;
};

/** Activities of the role `host:<name>` for repairs. */
export interface RepairActivities {
  /** Plans the repair of a workspace; repositories in `left` stay as they are. Changes nothing. */
  planRepair(input: WorkspaceOfHost & { readonly left: readonly string[] }): Promise<StoredRepairPlan>;
}

/** Creates the activities. */
export function createRepairActivities({ host, blobs, ...tools }: HostTools): RepairActivities {
  return {
    planRepair: ({ root, left }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const { bytes, steps, questions } = await planRepair(real, left, { ...tools, signal });
        const planned = { steps: fewSentences(steps), questions: fewSentencesEach(questions) };
        if (bytes === null) return { ...planned, plan: null };
        const { digest } = await blobs.put(Readable.from([Buffer.from(bytes)]));
        return { ...planned, plan: digest };
      }),
  };
}
