import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';

/** A run of a pipeline that failed. */
export interface FailedRun {
  readonly run: string;
  readonly workflowId: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly commit: string;
  readonly by: string;
}

/**
 * Takes back the proofs that a pipeline gave at a commit, since it has failed there now, in the transaction that records
 * the run. Promoted generations keep theirs. A change without another proof is pending again.
 */
export async function takeBackProofs(trx: LedgerTransaction, failed: FailedRun): Promise<void> {
  const { run, workflowId, repository, pipeline, commit, by } = failed;
  const proofs = await trx
    .selectFrom('evolutions')
    .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
    .select([
      'evolutions.evolution_id as id',
      'evolutions.tag',
      'evolutions.change_id as change',
      'evolutions.generation_id as generation',
    ])
    .where('generations.repository', '=', repository)
    .where('generations.status', '=', 'draft')
    .where('evolutions.status', '=', 'pass')
    .where('evolutions.pipeline', '=', pipeline)
    .where('evolutions.commit', '=', commit)
    .forUpdate()
    .execute();
  for (const { id, generation, change } of proofs) {
    await trx
      .updateTable('evolutions')
      .set({ status: 'fail', taken_back_by: run })
      .where('evolution_id', '=', id)
      .execute();
    const other = await trx
      .selectFrom('evolutions')
      .select('tag')
      .where('generation_id', '=', generation)
      .where('change_id', '=', change)
      .where('status', '=', 'pass')
      .executeTakeFirst();
    if (other !== undefined) continue;
    await trx
      .updateTable('generation_changes')
      .set({ status: 'pending' })
      .where('generation_id', '=', generation)
      .where('change_id', '=', change)
      .execute();
  }
  // appended last: other appends wait from here on
  for (const { tag, change } of proofs) {
    await recordEvent(trx, {
      event_type: 'evolution.taken_back',
      repository,
      resource_type: 'evolution',
      resource_id: tag,
      action: 'take back',
      status: 'success',
      actor: by,
      authenticated_by: 'unauthenticated',
      workflow_id: workflowId,
      run_id: run,
      details: { change, commit, pipeline },
    });
  }
}
