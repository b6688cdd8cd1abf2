import type { runTrainFlow } from '../../domain/release/flows/train-flows.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { PromotionReport, ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import type { TrainEvent, TrainGeneration, TrainPlan } from '../../domain/release/train/train.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { commitActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { evaluate } from './evaluate-promotion.ts';

/** The checked input of `runTrain`, with the time that decides which departure it is. */
export type TrainRun = CheckedOf<typeof runTrainFlow> & { readonly after: string };

/** A train at work. */
export interface TrainWork {
  readonly given: TrainRun;
  /** Says what it does or waits for. */
  readonly show: (...lines: readonly string[]) => void;
  /** When the current stage began to hold, if the run before this one held in it: milliseconds. */
  readonly heldSince: () => number | null;
  /** The gates as the last refused promotion left them: it is not repeated while nothing has changed. */
  readonly tried: { gates: string };
  /** Continues the train in a new run, which holds in the same stage: the history has become long. */
  readonly renew: (heldSince: number) => Promise<never>;
  /** Records something that it did, once for its departure. */
  readonly record: (event: TrainEvent['event'], version: string | null, details?: readonly string[]) => Promise<void>;
}

/** What has left, and where it goes. */
export interface Left {
  readonly version: string;
  readonly environment: string | null;
}

/** A plan, and the commit of the default branch that it was made for. */
export type PlannedTrain = TrainPlan & { readonly packed: PackedCommit; readonly contracts: string };

/** Reads the default branch, and what is on the train; `withMove`: with the changes to move to the next generation, too. */
export async function readTrainPlan(
  { repository, after }: TrainRun,
  version: string | null = null,
  { withMove = false }: { readonly withMove?: boolean } = {},
): Promise<PlannedTrain> {
  const branch = await readDefaultBranch(repository);
  const tagged = await commitActivities.latestVersion.executeWithOptions({ summary: 'the latest release' }, [
    { repository },
  ]);
  const { contracts } = branch;
  const head = branch.packed.commit;
  const asked = { repository, contracts, tagged, head, after, withMove, ...(version === null ? {} : { version }) };
  const plan = await ledgerActivities.planTrain.executeWithOptions({ summary: 'what is on the train' }, [asked]);
  return { ...plan, ...branch };
}

/** All gates of the promotion, which changes nothing. */
export async function readGates(
  { repository, by }: TrainRun,
  { packed, contracts }: PlannedTrain,
  { version }: TrainGeneration,
): Promise<PromotionReport> {
  const released: ReleaseCommit = { repository, version, kind: 'standard', packed, contracts, by };
  const { report } = await evaluate({ ...released, dryRun: true, overrideFreeze: '' }, released);
  return report;
}

/** What keeps a promotion from being done now, a sentence each. */
export function reasonsOf({ gates }: PromotionReport): readonly string[] {
  return gates.flatMap(({ reasons }) => reasons);
}

/** The head of the default branch, and the digest of its contracts. */
export async function readDefaultBranch(
  repository: string,
): Promise<{ readonly packed: PackedCommit; readonly contracts: string }> {
  const packed = await commitActivities.packCommit.executeWithOptions({ summary: 'pack the default branch' }, [
    { repository },
  ]);
  const { contracts } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'its contracts' }, [
    { repository, packed },
  ]);
  return { packed, contracts };
}
