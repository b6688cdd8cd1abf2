import { areOpen, ledgerGates } from '../../../domain/release/promotion/gates.ts';
import type { CommitPromotion, Promoted } from '../../../domain/release/promotion/promotion.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { readFacts } from './generation-facts.ts';
import { readRules } from './read-release.ts';

/**
 * See `LedgerActivities.commitPromotion`: the point of no return. One transaction sets the status and appends the event;
 * the gates of the ledger are evaluated once more in it, since an evolution may have ended after the last look.
 */
export async function commitPromotion(
  { ledger, blobs }: LedgerTools,
  asked: CommitPromotion,
  { workflowId, runId, who }: RunningFlow,
): Promise<Promoted> {
  const { repository, version, kind, packed, by, object } = asked;
  const { commit, tree } = packed;
  // an earlier attempt whose answer was lost: found first, since nothing else may fail after it
  const before = await promotedBy(ledger, runId);
  if (before !== null) return before;
  const { contracts, generation, digest } = await readRules(blobs, asked);
  const declared = { repository, generation, policies: contracts.policy.policies };
  return ledger.transaction().execute(async (trx): Promise<Promoted> => {
    const facts = await readFacts(trx, declared, { lock: true });
    const earlier = await promotedBy(trx, runId);
    if (earlier !== null) return earlier;
    if (facts.status === 'promoted') {
      // by a run that was ended from outside, with this very tag: it must stay
      if (facts.promoted !== null && facts.commit === commit && facts.promoted.object === object) {
        const { at, changes, event } = facts.promoted;
        return { at, changes, event };
      }
      throw new LonghaulError('PromotionRefused', `${version} of ${repository} was promoted by another run.`);
    }
    if (facts.id === null || facts.contractDigest !== digest) {
      throw new LonghaulError('PromotionRefused', `The contract of ${version} was changed while it was promoted.`);
    }
    const gates = ledgerGates(kind, facts);
    if (!areOpen(gates)) {
      const reasons = gates.flatMap((gate) => gate.reasons).join(' ');
      throw new LonghaulError(
        'PromotionRefused',
        `${version} of ${repository} cannot be promoted any more: ${reasons}`,
      );
    }
    const at = new Date();
    await trx
      .updateTable('generations')
      .set({ status: 'promoted', promoted_at: at, promoted_by: by, commit, tag: version, tag_object: object })
      .where('generation_id', '=', facts.id)
      .execute();
    await trx
      .insertInto('evidence')
      .values({
        digest: asked.before,
        kind: 'generation before its promotion',
        subject: facts.id,
        repository,
        blob: asked.before,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    // those of a withdrawn promotion
    await trx.deleteFrom('publications').where('generation_id', '=', facts.id).execute();
    if (asked.assets.length > 0) {
      const rows = asked.assets.map((asset) => ({ ...asset, generation_id: facts.id ?? '', kind: 'asset' as const }));
      await trx.insertInto('publications').values(rows).execute();
    }
    const { event_id: event } = await recordEvent(trx, {
      event_type: 'generation.promoted',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: kind === 'hotfix' ? 'promote hotfix' : 'promote',
      status: 'success',
      ...who,
      why: asked.overrideFreeze,
      workflow_id: workflowId,
      run_id: runId,
      contract_digest: digest,
      details: {
        at: at.toISOString(),
        commit,
        tree,
        tag: version,
        changes: facts.changes.length,
        object,
        before: asked.before,
        assets: asked.assets,
        approval: asked.approval,
        approvedBy: asked.approvedBy,
        ...(asked.overriddenBy.length === 0 ? {} : { overriddenBy: asked.overriddenBy }),
      },
    });
    return { at: at.toISOString(), changes: facts.changes.length, event };
  });
}

/** The promotion that this run has recorded; null for none. */
async function promotedBy(ledger: LedgerDatabase, runId: string): Promise<Promoted | null> {
  const known = await ledger
    .selectFrom('audit_events')
    .select(['event_id', 'details_json'])
    .where('run_id', '=', runId)
    .where('event_type', '=', 'generation.promoted')
    .executeTakeFirst();
  if (known === undefined) return null;
  const { at, changes } = known.details_json as Pick<Promoted, 'at' | 'changes'>;
  return { at, changes, event: known.event_id };
}
