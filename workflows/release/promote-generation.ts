import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import {
  promoteGenerationFlow,
  type PromoteGenerationInput,
  type PromoteGenerationResult,
  PUBLISHING,
} from '../../domain/release/flows/promotion-flows.ts';
import type { KeptTag } from '../../activities/release/promotion/prepare-tag.ts';
import { repositoryName } from '../../domain/git/repository.ts';
import type {
  FinalTag,
  PromotedBefore,
  Promoted,
  PromotionReport,
  ReleaseCommit,
} from '../../domain/release/promotion/promotion.ts';
import type { ReleaseAsset } from '../../domain/release/promotion/publication.ts';
import { logEvent } from '../shared/events.ts';
import { recordClaimsOutsideGates } from '../shared/gate.ts';
import { type Rollback, withRollback } from '../shared/rollback.ts';
import { type FlowStages, stagesOf } from '../shared/stages.ts';
import { act, recordingRefusal } from '../shared/act.ts';
import { commitActivities, lastingLedgerActivities, ledgerActivities, pipelineActivities } from './activities.ts';
import { evaluate, type Evaluated, type Promotion } from './evaluate-promotion.ts';
import { publishPromotion } from './publish-promotion.ts';
import { endRefused, settle, type Settled } from './settle-promotion.ts';

/** What each stage hands on. */
interface Outputs extends Record<string, unknown> {
  readonly commit: ReleaseCommit;
  readonly gates: Evaluated;
  readonly assets: readonly ReleaseAsset[];
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
  recordClaimsOutsideGates();
  const stages = stagesOf<Outputs>(['commit', 'gates', 'assets', 'approval', 'tag', 'promotion', 'publication']);
  const work = (): Promise<PromoteGenerationResult> =>
    withRollback((rollback) => act(promoteGenerationFlow, input, (given) => promote(given, stages, rollback)));
  // a dry run is no act
  return input?.dryRun === true ? work() : recordingRefusal(promoteGenerationFlow, input, work);
}

async function promote(
  given: Promotion,
  stages: FlowStages<Outputs>,
  rollback: Rollback,
): Promise<PromoteGenerationResult> {
  const { version } = given;
  const released = await stages.run('commit', () => readRelease(given));
  const first = await stages.run('gates', () => evaluate(given, released));
  const { report, promoted: before } = first;
  if (given.dryRun) return { report, promoted: null, refused: [], published: [] };
  const promoted = before ?? (await decide(given, released, first, stages, rollback));
  rollback.forget();
  const publishing = { given, released, proofs: report.proofs, isHotfix: first.isHotfix, promoted };
  const published = await stages.run('publication', () =>
    // it is promoted: what is refused now is not the promotion
    recordingRefusal(PUBLISHING, given, () => publishPromotion(publishing)),
  );
  return { report, promoted: { approval: null, ...promoted, tag: version }, refused: [], published };
}

/** What {@link promote} decides: the tag is pushed, and the ledger has the promotion. */
async function decide(
  given: Promotion,
  released: ReleaseCommit,
  first: Evaluated,
  stages: FlowStages<Outputs>,
  rollback: Rollback,
): Promise<PromotedBefore & Pick<Settled, 'approval'>> {
  const { version, repository } = given;
  const assets = await stages.run('assets', () => collectAssets(given, first.report));
  const settled = await stages.run('approval', () => settle(given, released, { first, assets, show: stages.show }));
  const { coverage, approval, approvedBy, overriddenBy } = settled;
  const { object, before } = await stages.run('tag', async () => {
    const prepared = await ledgerActivities.prepareTag.executeWithOptions({ summary: 'what the tag records' }, [
      released,
    ]);
    const { tag, leftover, kept } = prepared;
    const { packed } = released;
    const remove = (each: FinalTag): Promise<void> =>
      commitActivities.removeRelease.executeWithOptions({ summary: `remove ${version}` }, [
        { repository, tag: version, ...each },
      ]);
    // of promotions that were ended between the tag and its record
    for (const each of leftover) await remove(each);
    // a tag that was kept by a decision stays, whatever happens here
    if (kept?.commit !== packed.commit) rollback.before(`remove the tag ${version}`, () => remove(tag));
    const pushed = await commitActivities.pushRelease.executeWithOptions({ summary: `push ${version}` }, [
      { repository, packed, tag: version, message: tag.message, at: tag.at, hint: hintOf(version, kept) },
    ]);
    return { object: pushed.object, before: prepared.before };
  });
  const overrideFreeze = given.overrideFreeze || null;
  // the point of no return: whether the transaction has happened must be known, so it is neither cancelled nor given up
  const promoted = await stages.run('promotion', () =>
    CancellationScope.nonCancellable(() =>
      lastingLedgerActivities.commitPromotion.executeWithOptions({ summary: 'promote: the point of no return' }, [
        { ...released, coverage, overrideFreeze, object, before, assets, approval, approvedBy, overriddenBy },
      ]),
    ),
  );
  const { kind, by } = given;
  logEvent('promoted', { repo: repositoryName(repository), version, kind, commit: released.packed.commit, by });
  return { ...promoted, object, approval };
}

/** What to do when the remote has another tag. */
function hintOf(version: string, kept: KeptTag | null): string | null {
  if (kept === null) return null;
  return (
    `${version} was withdrawn at ${kept.commit.slice(0, 12)}, and its tag was kept: promote that commit again, or remove ` +
    `the tag with \`longhaul generation withdraw ${version} --why … --tag remove\`.`
  );
}

/** The files of the release. Refuses the promotion when one is missing, as long as it can be refused. */
async function collectAssets(given: Promotion, report: PromotionReport): Promise<readonly ReleaseAsset[]> {
  // a closed gate refuses it
  if (report.assets === null || !report.isOpen) return [];
  const { assets, problems } = await commitActivities.collectAssets.executeWithOptions(
    { summary: 'the files of the release' },
    [report.assets],
  );
  if (problems.length > 0) endRefused(given, report, problems);
  return assets;
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
