import { ApplicationFailure, ChildWorkflowFailure } from '@temporalio/workflow';
import { promoteGenerationFlow, type PromoteGenerationResult } from '../../domain/release/flows/promotion-flows.ts';
import type { PromotionReport } from '../../domain/release/promotion/promotion.ts';
import type { FailureType } from '../../domain/shared/failures.ts';
import { isLocked, runChild } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
import { holding } from './hold-train.ts';
import { readGates, type Left, readTrainPlan, reasonsOf, type TrainWork } from './plan-train.ts';

/** Promotes what is on the train as soon as all gates are open. Null for a train without a generation. */
export async function promoteTrain(work: TrainWork, chosen: string | null): Promise<Left | null> {
  const { given, show, tried } = work;
  const { repository, by } = given;
  let version = chosen;
  return holding(work, async () => {
    const plan = await readTrainPlan(given, version);
    const { generation, train, hasPeople } = plan;
    if (generation === null) return { done: null };
    ({ version } = generation);
    const left = { version, environment: train.environment };
    // a person was faster
    if (generation.isPromoted) return { done: left };
    // people took it back, so people release it again
    if (generation.withdrawn !== null) return { version, waitsFor: [generation.withdrawn] };
    const report = await readGates(given, plan, generation);
    if (!report.isOpen && (needsMore(report) || keyOf(report) === tried.gates)) {
      return { version, waitsFor: reasonsOf(report) };
    }
    // only a person may ask people
    if (hasPeople && report.approvals !== null) {
      return { version, waitsFor: [`a person to ask for the approvals: longhaul generation promote ${version}`] };
    }
    show(`promotes ${version}: longhaul watch generation/${repository}/${version}`);
    try {
      await runChild(promoteGenerationFlow, {
        repository,
        version,
        kind: 'standard',
        dryRun: false,
        overrideFreeze: '',
        by,
      });
      return { done: left };
    } catch (error) {
      const refused = refusalOf(error);
      // people have rejected it, or a file of the release is missing
      if (refused?.isOpen === true) throw error;
      if (refused !== null) {
        tried.gates = keyOf(refused);
        return { version, waitsFor: reasonsOf(refused) };
      }
      const { type, error: message } = failureOf(error);
      if (!REPAIRABLE.some((each) => each === type) && !isLocked(error)) throw error;
      return { version, waitsFor: [message] };
    }
  });
}

/** Failures of a promotion that others can repair: the train waits for that. */
const REPAIRABLE: readonly FailureType[] = ['GenerationDiffers', 'TagConflict', 'PushRefused'];

/** True when more is missing than a run of the pipelines, which the promotion starts by itself. */
function needsMore({ gates }: PromotionReport): boolean {
  return gates.some(({ gate, reasons }) => gate !== 'ProofCoversCommitGate' && reasons.length > 0);
}

function keyOf({ commit, gates }: PromotionReport): string {
  return JSON.stringify([commit, gates]);
}

/** The gates with which a promotion was refused; null for another failure. */
function refusalOf(error: unknown): PromotionReport | null {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'PromotionRefused') return null;
  const [result] = (cause.details ?? []) as [PromoteGenerationResult?];
  return result?.report ?? null;
}
