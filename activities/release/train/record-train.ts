import canonicalize from 'canonicalize';
import type { TrainEvent } from '../../../domain/release/train/train.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/** Something that a train did, to record. */
export interface RecordTrain extends TrainEvent {
  readonly repository: string;
  readonly by: string;
}

/** See `LedgerActivities.recordTrain`. */
export async function recordTrain(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, event, departure, version, details }: RecordTrain,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  const type = `train.${event}`;
  await ledger.transaction().execute(async (trx) => {
    // the lock of the chain: an attempt that was given up may still run
    await trx.selectFrom('ledger').select('event_id').forUpdate().executeTakeFirstOrThrow();
    const known = await trx
      .selectFrom('audit_events')
      .select('details_json')
      .where('repository', '=', repository)
      .where('event_type', '=', type)
      .where('resource_id', '=', departure)
      .orderBy('event_id', 'desc')
      .executeTakeFirst();
    // what a train waits for may change
    const isSame = canonicalize(known?.details_json) === canonicalize({ version, details });
    if (known !== undefined && (event !== 'held' || isSame)) return;
    await recordEvent(trx, {
      event_type: type,
      repository,
      resource_type: 'train',
      resource_id: departure,
      action: event,
      status: event === 'failed' ? 'failure' : 'success',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      details: { version, details },
    });
  });
}
