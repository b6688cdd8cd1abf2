import { areOpen, ledgerGates } from '../../../domain/release/promotion/gates.ts';
import type { CommitPromotion, Promoted } from '../../../domain/release/promotion/promotion.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTools, RunningFlow } from '../ledger-tools.ts';
import { readFacts } from './generation-facts.ts';
import { readRelease } from './read-release.ts';

/**
 * See `LedgerActivities.commitPromotion`: the point of no return. One transaction sets the status and appends the event;
 * the gates of the ledger are evaluated once more in it, since an evolution may have ended after the last look.
 */
export async function commitPromotion(
  { ledger, blobs }: LedgerTools,
  asked: CommitPromotion,
  { workflowId, runId }: RunningFlow,
): Promise<Promoted> {
  const { repository, version, kind, packed, by, object, before } = asked;
  const { commit, tree } = packed;
  const { contracts, generation, digest } = await readRelease(blobs, asked);
  const declared = { repository, generation, policies: contracts.policy.policies };
  return ledger.transaction().execute(async (trx): Promise<Promoted> => {
    const facts = await readFacts(trx, declared, { lock: true });
    const known = await trx
      .selectFrom('audit_events')
      .select(['event_id', 'timestamp'])
      .where('run_id', '=', runId)
      .where('event_type', '=', 'generation.promoted')
      .executeTakeFirst();
    if (known !== undefined) {
      return { at: known.timestamp.toISOString(), changes: facts.changes.length, event: known.event_id };
    }
    if (facts.status === 'promoted') {
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
      .values({ digest: before, kind: 'generation before its promotion', subject: facts.id, repository, blob: before })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { event_id: event } = await recordEvent(trx, {
      event_type: 'generation.promoted',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: kind === 'hotfix' ? 'promote hotfix' : 'promote',
      status: 'success',
      actor: by,
      authenticated_by: 'unauthenticated',
      why: asked.overrideFreeze,
      workflow_id: workflowId,
      run_id: runId,
      contract_digest: digest,
      details: {
        commit,
        tree,
        tag: version,
        object,
        before,
        approvedBy: asked.approvedBy,
        isAuthenticated: asked.isAuthenticated,
      },
    });
    return { at: at.toISOString(), changes: facts.changes.length, event };
  });
}
