import type { PromotionReport, ReleaseCommit } from '../../../domain/release/promotion/promotion.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTools, RunningFlow } from '../ledger-tools.ts';

/** A promotion that is refused, and why. */
export interface RefusedPromotion extends Pick<ReleaseCommit, 'repository' | 'version' | 'by'> {
  readonly report: PromotionReport;
  /** Sentences. */
  readonly reasons: readonly string[];
}

/** See `LedgerActivities.refusePromotion`. */
export async function refusePromotion(
  { ledger }: LedgerTools,
  { repository, version, by, report, reasons }: RefusedPromotion,
  { workflowId, runId }: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const known = await trx
      .selectFrom('audit_events')
      .select('event_id')
      .where('run_id', '=', runId)
      .where('event_type', '=', 'generation.refused')
      .executeTakeFirst();
    if (known !== undefined) return;
    await recordEvent(trx, {
      event_type: 'generation.refused',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: 'promote',
      status: 'refused',
      actor: by,
      authenticated_by: 'unauthenticated',
      workflow_id: workflowId,
      run_id: runId,
      details: { commit: report.commit, reasons: reasons.slice(0, 100) },
    });
  });
}
