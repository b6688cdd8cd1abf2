import { runPipelineFlow } from '../../domain/release/flows/pipeline-flows.ts';
import type { RunEvent } from '../../domain/release/pipelines/plan.ts';
import type { promoteGenerationFlow } from '../../domain/release/flows/promotion-flows.ts';
import { branchOfHotfix } from '../../domain/release/promotion/hotfix-steps.ts';
import { runsNeeded } from '../../domain/release/promotion/gates.ts';
import type {
  Coverage,
  PromotedBefore,
  PromotionReport,
  ReleaseCommit,
} from '../../domain/release/promotion/promotion.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild } from '../shared/child.ts';
import { commitActivities, ledgerActivities } from './activities.ts';
import { resultOfFailedRun } from './failed-run.ts';

/** Jobs of a run in parallel. */
const PARALLEL = 16;

/** The checked input of `promoteGeneration`. */
export type Promotion = CheckedOf<typeof promoteGenerationFlow>;

/** All gates, and what the commit contains. */
export interface Evaluated {
  readonly report: PromotionReport;
  readonly coverage: Coverage;
  /** The promotion by an earlier run; null for a draft. */
  readonly promoted: PromotedBefore | null;
  readonly isHotfix: boolean;
}

/** Evaluates all gates. Runs the pipelines on the tree that is released, when nothing else keeps the gates closed. */
export async function evaluate(given: Promotion, released: ReleaseCommit): Promise<Evaluated> {
  const { repository, kind, packed } = released;
  const { proofs, promoted, isHotfix } = await ledgerActivities.preparePromotion.executeWithOptions(
    { summary: 'read the ledger' },
    [{ ...released, isDryRun: given.dryRun }],
  );
  const coverage = await commitActivities.coverCommits.executeWithOptions({ summary: 'what the commit contains' }, [
    { repository, kind, packed, proofs },
  ]);
  const check = (): Promise<PromotionReport> =>
    ledgerActivities.checkPromotion.executeWithOptions({ summary: 'all gates' }, [
      { ...released, coverage, overrideFreeze: given.overrideFreeze || null },
    ]);
  const report = await check();
  const needed = given.dryRun || promoted !== null ? [] : runsNeeded(report.gates, { ...coverage, runs: report.runs });
  if (needed.length === 0) return { report, coverage, promoted, isHotfix };
  const branch = branchOf(given, released, coverage);
  for (const pipeline of needed) await runOnTree(released, { pipeline, branch, requestId: given.requestId });
  return { report: await check(), coverage, promoted, isHotfix };
}

/** The branch that is released: conditions of jobs ask for it. */
function branchOf({ branch }: Promotion, { version, kind }: ReleaseCommit, coverage: Coverage): string | null {
  return branch ?? (kind === 'hotfix' ? branchOfHotfix(version) : coverage.branch);
}

/** Runs a pipeline at the commit that is released. A failed run is a result, which the gates report. */
async function runOnTree(
  { repository, packed, by }: ReleaseCommit,
  {
    pipeline,
    branch,
    requestId,
  }: { readonly pipeline: string; readonly branch: string | null; readonly requestId: string | undefined },
): Promise<void> {
  const { commit } = packed;
  const event: RunEvent = 'promotion';
  try {
    await runChild(runPipelineFlow, {
      repository,
      pipeline,
      commit,
      packed,
      event,
      by,
      parallel: PARALLEL,
      ...(branch === null ? {} : { branch }),
      ...(requestId === undefined ? {} : { requestId }),
    });
  } catch (error) {
    if (resultOfFailedRun(error) === null) throw error;
  }
}
