import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTools, RunningFlow } from '../ledger-tools.ts';
import { notInLedger } from './generation-facts.ts';

/** What was published after a promotion. */
export interface Publication {
  readonly repository: string;
  readonly version: string;
  /** Digest of the notes. */
  readonly notes: string;
  /** A line each. */
  readonly published: readonly string[];
  readonly by: string;
}

/** See `LedgerActivities.recordPublication`. */
export async function recordPublication(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, version, notes, published }: Publication,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const generation = await trx
      .selectFrom('generations')
      .select('generation_id')
      .where('repository', '=', repository)
      .where('version', '=', version)
      .executeTakeFirst();
    if (generation === undefined) throw notInLedger(repository, version);
    const { generation_id: subject } = generation;
    const { numInsertedOrUpdatedRows: added } = await trx
      .insertInto('evidence')
      .values({ digest: notes, kind: 'release notes', subject, repository, blob: notes })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (added === 0n) return;
    await recordEvent(trx, {
      event_type: 'generation.published',
      repository,
      resource_type: 'generation',
      resource_id: version,
      action: 'publish',
      status: 'success',
      ...who,
      workflow_id: workflowId,
      run_id: runId,
      details: { notes, published },
    });
  });
}
