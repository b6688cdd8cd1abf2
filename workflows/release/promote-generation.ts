import { ApplicationFailure, CancellationScope, sleep } from '@temporalio/workflow';
import { resultOfFailedRun } from './failed-run.ts';
import {
  promoteGenerationFlow,
  type PromoteGenerationInput,
  type PromoteGenerationResult,
} from '../../domain/release/flows/promotion-flows.ts';
import { runPipelineFlow } from '../../domain/release/flows/pipeline-flows.ts';
import { runsNeeded } from '../../domain/release/promotion/gates.ts';
import type { Coverage, Promoted, PromotionReport, ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import type { CheckedOf } from '../../domain/shared/flow.ts';
import { runChild, underLock } from '../shared/child.ts';
import { checked } from '../shared/input.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { type Stages, stagesOf } from '../shared/stages.ts';
import { commitActivities, lastingLedgerActivities, ledgerActivities, pipelineActivities } from './activities.ts';

/** Jobs of a run in parallel. */
const PARALLEL = 16;

type Given = CheckedOf<typeof promoteGenerationFlow>;

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly commit: ReleaseCommit;
  readonly gates: Evaluated;
  readonly approval: Evaluated;
  readonly tag: { readonly object: string; readonly before: string };
  readonly promotion: Promoted;
  readonly publication: readonly string[];
}

interface Evaluated {
  readonly report: PromotionReport;
  readonly coverage: Coverage;
}

/**
 * Promotes a generation (docs/release.md): evaluates all gates, waits for the soak time and for people, pushes the final
 * tag, and records the promotion. Fails with `PromotionRefused`, which carries the result, when a gate is closed.
 */
export function promoteGeneration(input: PromoteGenerationInput): Promise<PromoteGenerationResult> {
  const stages = stagesOf<Outputs>(['commit', 'gates', 'approval', 'tag', 'promotion', 'publication']);
  return withRollback(async (rollback) => {
    const given = await checked(promoteGenerationFlow, input);
    return underLock(promoteGenerationFlow, given, () => promote(given, stages, rollback));
  });
}

async function promote(given: Given, stages: Stages<Outputs>, rollback: Rollback): Promise<PromoteGenerationResult> {
  const { version } = given;
  const released = await stages.run('commit', () => readRelease(given));
  const first = await stages.run('gates', () => evaluate(given, released));
  if (given.dryRun) return { report: first.report, promoted: null, published: [] };
  const { report, coverage } = await stages.run('approval', () => settle(given, released, first, stages));

  const { object, before } = await stages.run('tag', async () => {
    const prepared = await ledgerActivities.prepareTag.executeWithOptions({ summary: 'what the tag records' }, [
      released,
    ]);
    const { event, hash, at } = prepared.chain;
    const title = [version, prepared.description].filter(Boolean).join(': ');
    const message = `${title}\n\nLonghaul-Audit: ${event} ${hash}`;
    const tag = { repository: given.repository, packed: released.packed, tag: version, message, at };
    rollback.before(`remove the tag ${version}`, () =>
      commitActivities.removeRelease.executeWithOptions({ summary: `remove ${version}` }, [tag]),
    );
    const pushed = await commitActivities.pushRelease.executeWithOptions({ summary: `push ${version}` }, [tag]);
    return { object: pushed.object, before: prepared.before };
  });

  // the point of no return: whether the transaction has happened must be known, so it is neither cancelled nor given up
  const promoted = await stages.run('promotion', () =>
    CancellationScope.nonCancellable(() =>
      lastingLedgerActivities.commitPromotion.executeWithOptions({ summary: 'promote: the point of no return' }, [
        {
          ...released,
          coverage,
          overrideFreeze: given.overrideFreeze || null,
          object,
          before,
          approvedBy: [],
          isAuthenticated: false,
        },
      ]),
    ),
  );
  rollback.forget();
  return { report, promoted: { ...promoted, tag: version, object, authenticated: false }, published: [] };
}

/** The commit that is released, with its contracts. */
async function readRelease({
  repository,
  version,
  kind,
  commit: asked,
  branch,
  packed: given,
  by,
}: Given): Promise<ReleaseCommit> {
  // a hotfix is released as it was proven
  const isHotfix = kind === 'hotfix' && asked === undefined && branch === undefined;
  const commit = isHotfix ? await provenCommit(repository, version) : asked;
  const packed =
    given ??
    (await commitActivities.packCommit.executeWithOptions(
      { summary: `pack ${commit?.slice(0, 12) ?? branch ?? 'HEAD'}` },
      [{ repository, ...(commit === undefined ? {} : { commit }), ...(branch === undefined ? {} : { branch }) }],
    ));
  const { contracts } = await pipelineActivities.readCommit.executeWithOptions({ summary: 'read the commit' }, [
    { repository, packed },
  ]);
  return { repository, version, kind, packed, contracts, by };
}

async function provenCommit(repository: string, version: string): Promise<string> {
  const commit = await ledgerActivities.lastProvenCommit.executeWithOptions({ summary: 'the commit that was proven' }, [
    { repository, version },
  ]);
  if (commit !== null) return commit;
  throw ApplicationFailure.nonRetryable(`${version} has no passing evolution.`, 'PromotionRefused');
}

/** Evaluates all gates. Runs the pipelines on the tree that is released, when nothing else keeps the gates closed. */
async function evaluate(given: Given, released: ReleaseCommit): Promise<Evaluated> {
  const { repository, packed } = released;
  const { proofs } = await ledgerActivities.preparePromotion.executeWithOptions({ summary: 'read the ledger' }, [
    { ...released, isDryRun: given.dryRun },
  ]);
  const coverage = await commitActivities.coverCommits.executeWithOptions({ summary: 'what the commit contains' }, [
    { repository, packed, proofs },
  ]);
  const check = (): Promise<PromotionReport> =>
    ledgerActivities.checkPromotion.executeWithOptions({ summary: 'all gates' }, [
      { ...released, coverage, overrideFreeze: given.overrideFreeze || null },
    ]);
  const report = await check();
  const needed = given.dryRun ? [] : runsNeeded(report.gates, { uncovered: coverage.uncovered, runs: report.runs });
  if (needed.length === 0) return { report, coverage };
  for (const pipeline of needed) await runOnTree(released, pipeline);
  return { report: await check(), coverage };
}

/** Runs a pipeline at the commit that is released. A failed run is a result, which the gates report. */
async function runOnTree({ repository, packed, by }: ReleaseCommit, pipeline: string): Promise<void> {
  const { commit } = packed;
  try {
    await runChild(runPipelineFlow, {
      repository,
      pipeline,
      commit,
      packed,
      event: 'promotion',
      by,
      parallel: PARALLEL,
    });
  } catch (error) {
    if (resultOfFailedRun(error) === null) throw error;
  }
}

/** Waits until everything that takes time is there, and the gates are open then. */
async function settle(
  given: Given,
  released: ReleaseCommit,
  first: Evaluated,
  stages: Stages<Outputs>,
): Promise<Evaluated> {
  for (let now = first; ; now = await evaluate(given, released)) {
    const { report } = now;
    if (!report.isOpen) await refuse(given, report);
    if (report.soakUntil === null) return now;
    stages.show(`waits until ${report.soakUntil.slice(0, 16)}Z: time since the last proof`);
    await sleep(Math.max(1_000, Date.parse(report.soakUntil) - Date.now()), { summary: 'time since the last proof' });
  }
}

async function refuse({ repository, version, by }: Given, report: PromotionReport): Promise<never> {
  const reasons = report.gates.flatMap((gate) => gate.reasons);
  await ledgerActivities.refusePromotion.executeWithOptions({ summary: 'record the refusal' }, [
    { repository, version, by, report, reasons },
  ]);
  const result: PromoteGenerationResult = { report, promoted: null, published: [] };
  throw ApplicationFailure.create({
    type: 'PromotionRefused',
    message: `${version} is not promoted: ${reasons.join(' ')}`.slice(0, 1_000),
    nonRetryable: true,
    details: [result],
  });
}
