import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { notInLedger } from './generation-facts.ts';
import { lastDecision } from './last-decision.ts';

/** A promoted generation that is to be a draft again. */
export interface WithdrawGeneration {
  readonly repository: string;
  readonly version: string;
  readonly why: string;
  readonly tag: 'keep' | 'remove';
  readonly by: string;
}

/** A withdrawn generation. */
export interface Withdrawn {
  /** Oid of its tag's object; null when the ledger does not know it. */
  readonly object: string | null;
}

/** See `LedgerActivities.withdrawGeneration`. */
export async function takeBackPromotion(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, version, why, tag }: WithdrawGeneration,
  { workflowId, runId, who }: RunningFlow,
): Promise<Withdrawn> {
  const event = {
    event_type: 'generation.withdrawn',
    repository,
    resource_type: 'generation',
    resource_id: version,
    action: 'withdraw',
    status: 'success',
    ...who,
    why,
    workflow_id: workflowId,
    run_id: runId,
  } as const;
  return ledger.transaction().execute(async (trx) => {
    const found = await trx
      .selectFrom('generations')
      .selectAll()
      .where('repository', '=', repository)
      .where('version', '=', version)
      .forUpdate()
      .executeTakeFirst();
    if (found === undefined) throw notInLedger(repository, version);
    const before = await trx
      .selectFrom('audit_events')
      .select('details_json')
      .where('run_id', '=', runId)
      .where('event_type', '=', 'generation.withdrawn')
      .executeTakeFirst();
    if (before !== undefined) return { object: (before.details_json as { object?: string | null }).object ?? null };
    const last = found.status === 'promoted' ? null : await lastDecision(trx, repository, version);
    if (last?.event_type === 'generation.withdrawn') {
      const details = last.details_json as { readonly object?: string | null; readonly tag?: string };
      // the decision is recorded, and its tag may still have to be removed; to remove one that was kept is a decision
      if (tag === 'remove' && details.tag !== 'remove') {
        await recordEvent(trx, { ...event, contract_digest: found.contract_digest, details: { ...details, tag } });
      }
      return { object: details.object ?? null };
    }
    if (found.status !== 'promoted') {
      throw new LonghaulError(
        'InvalidInput',
        `${version} of ${repository} is not promoted, so it cannot be withdrawn.`,
      );
    }
    const { generation_id: id, commit, tag_object: object, promoted_at: at, promoted_by: promotedBy } = found;
    await trx
      .updateTable('generations')
      .set({ status: 'draft', promoted_at: null, promoted_by: null, commit: null, tag: null, tag_object: null })
      .where('generation_id', '=', id)
      .execute();
    await recordEvent(trx, {
      ...event,
      contract_digest: found.contract_digest,
      details: { commit, object, tag, promotedAt: at?.toISOString() ?? null, promotedBy },
    });
    return { object };
  });
}
