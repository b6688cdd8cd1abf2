import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import {
  promoteGenerationFlow,
  type PromoteGenerationInput,
  type PromoteGenerationResult,
} from '../../domain/release/flows/promotion-flows.ts';
import type { Promoted, ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import { underLock } from '../shared/child.ts';
import { checked } from '../shared/input.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { commitActivities, lastingLedgerActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { evaluate, type Evaluated, type Promotion } from './evaluate-promotion.ts';
import { settle, type Settled } from './settle-promotion.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly commit: ReleaseCommit;
  readonly gates: Evaluated;
  readonly approval: Settled;
  readonly tag: { readonly object: string; readonly before: string };
  readonly promotion: Promoted;
  readonly publication: readonly string[];
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

async function promote(
  given: Promotion,
  stages: FlowStages<Outputs>,
  rollback: Rollback,
): Promise<PromoteGenerationResult> {
  const { version } = given;
  const released = await stages.run('commit', () => readRelease(given));
  const first = await stages.run('gates', () => evaluate(given, released));
  if (given.dryRun) return { report: first.report, promoted: null, refused: [], published: [] };
  const settled = await stages.run('approval', () => settle(given, released, first, stages.show));
  const { report, coverage, approvedBy, isAuthenticated } = settled;

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
          approvedBy,
          isAuthenticated,
        },
      ]),
    ),
  );
  rollback.forget();
  return {
    report,
    promoted: { ...promoted, tag: version, object, authenticated: isAuthenticated },
    refused: [],
    published: [],
  };
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
}: Promotion): Promise<ReleaseCommit> {
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
