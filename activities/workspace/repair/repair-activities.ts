import { Readable } from 'node:stream';
import { heartbeating } from '../../shared/heartbeating.ts';
import { refuseOtherPlaces } from '../allowed-place.ts';
import { fewSentences, fewSentencesEach } from '../few-sentences.ts';
import { bytesOf, type HostTools, type WorkspaceOfHost } from '../host-activities.ts';
import { planRepair, type RepairPlan, type RepairRequest } from './plan-repair.ts';

/** {@link RepairPlan}, with its file in the blob store. */
export type StoredRepairPlan = Omit<RepairPlan, 'bytes'> & {
  /** SHA-256 of the plan; null when nothing has to be done. */
  readonly plan: string | null;
};

/** Activities of the role `host:<name>` for repairs. */
export interface RepairActivities {
  /** Plans the repair of a workspace; `plan` is the digest of a file in the blob store. Changes nothing. */
  planRepair(
    input: WorkspaceOfHost & Omit<RepairRequest, 'plan'> & { readonly plan: string | null },
  ): Promise<StoredRepairPlan>;
}

/** Creates the activities. */
export function createRepairActivities({ host, blobs, ...tools }: HostTools): RepairActivities {
  return {
    planRepair: ({ root, plan, ...request }) =>
      heartbeating(async (signal) => {
        const real = await refuseOtherPlaces(host, root);
        const made = plan === null ? null : await bytesOf(blobs, plan);
        const { bytes, steps, questions } = await planRepair(real, { ...request, plan: made }, { ...tools, signal });
        const planned = { steps: fewSentences(steps), questions: fewSentencesEach(questions) };
        if (bytes === null) return { ...planned, plan: null };
        const { digest } = await blobs.put(Readable.from([Buffer.from(bytes)]));
        return { ...planned, plan: digest };
      }),
  };
}
