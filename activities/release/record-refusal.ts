import type { RefusedAct } from '../../domain/release/acts.ts';
import { recordEvent } from '../ledger/audit.ts';
import type { LedgerTools, RunningFlow } from './ledger-tools.ts';

/** See `LedgerActivities.recordRefusal`. */
export async function recordRefusal(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { event, resource, action, subject, repository, type, isRefused, message, facts }: RefusedAct,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    // the lock of the chain: an attempt that was given up may still run
    await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
    const known = await trx
      .selectFrom('audit_events')
      .select('event_id')
      .where('run_id', '=', runId)
      .where('event_type', 'like', '%.refused')
      .executeTakeFirst();
    if (known !== undefined) return;
    const { contract = null, ...rest } = facts ?? {};
    await recordEvent(trx, {
      event_type: `${event}.refused`,
      repository,
      resource_type: resource,
      resource_id: subject,
      action,
      status: isRefused ? 'refused' : 'failure',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      contract_digest: contract,
      details: { reason: type, message, ...rest },
    });
  });
}
