import { recordEvent } from '../../ledger/audit.ts';
import type { LedgerTransaction } from '../../ledger/open-ledger.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';

/** A run of a pipeline that failed. */
export interface FailedRun {
  readonly run: string;
  readonly workflowId: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly commit: string;
  readonly who: RunningFlow['who'];
}

/** A proof that was taken back. */
export interface TakenProof {
  /** Tag of its evolution. */
  readonly tag: string;
  readonly change: string;
}

/**
 * Takes back the proofs that a pipeline gave at a commit, since it has failed there now, in the transaction that records
 * the run. Promoted generations keep theirs. A change without another proof is pending again.
 */
export async function takeBackProofs(
  trx: LedgerTransaction,
  { run, repository, pipeline, commit }: FailedRun,
): Promise<readonly TakenProof[]> {
  // the lock of a verdict: it is there already, or it will see this run
  await trx
    .selectFrom('generations')
    .select('generation_id')
    .where('repository', '=', repository)
    .where('status', '=', 'draft')
    .orderBy('generation_id')
    .forUpdate()
    .execute();
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
  return proofs;
}

/** Appends the event of a proof that {@link takeBackProofs} has taken back. */
export async function recordTakenBack(
  trx: LedgerTransaction,
  { run, workflowId, repository, pipeline, commit, who }: FailedRun,
  { tag, change }: TakenProof,
): Promise<void> {
  await recordEvent(trx, {
    event_type: 'evolution.taken_back',
    repository,
    resource_type: 'evolution',
    resource_id: tag,
    action: 'take back',
    status: 'success',
    ...who,
    workflow_id: workflowId,
    run_id: run,
    details: { change, commit, pipeline },
  });
}
