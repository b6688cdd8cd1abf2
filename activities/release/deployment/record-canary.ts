import type { CanaryAction } from '../../../domain/release/deployment/canary.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/** What a person told a canary. */
export interface RecordCanary {
  readonly deployment: string;
  /** 1 for the first order of the run. */
  readonly number: number;
  readonly service: string;
  /** Percent of the step. */
  readonly percent: number;
  readonly action: CanaryAction;
  /** A name that proves nothing. */
  readonly by: string;
  readonly why: string | null;
}

/** Records what a person told a canary. Does nothing when that is recorded. */
export async function recordCanary(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { deployment, number, service, percent, action, by, why }: RecordCanary,
  { workflowId, runId }: Pick<RunningFlow, 'workflowId' | 'runId'>,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    // the lock of the chain: an attempt that was given up may still run
    await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
    const earlier = await trx
      .selectFrom('audit_events')
      .select('details_json')
      .where('run_id', '=', runId)
      .where('event_type', '=', 'deployment.canary')
      .execute();
    if (earlier.some(({ details_json: details }) => details['number'] === number)) return;
    const row = await trx
      .selectFrom('deployments')
      .select(['repository', 'environment', 'version'])
      .where('deployment_id', '=', deployment)
      .executeTakeFirst();
    await recordEvent(trx, {
      event_type: 'deployment.canary',
      repository: row?.repository ?? null,
      resource_type: 'environment',
      resource_id: row?.environment ?? 'unknown',
      action,
      status: 'success',
      actor: by,
      authenticated_by: 'unauthenticated',
      why,
      workflow_id: workflowId,
      run_id: runId,
      details: { deployment, version: row?.version ?? null, service, percent, number },
    });
  });
}
