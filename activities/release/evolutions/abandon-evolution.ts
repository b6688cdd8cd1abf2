import type { AbandonEvolution } from '../../../domain/release/evolutions/evolution.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { recordEvent } from '../../ledger/audit.ts';
import type { RunningFlow } from '../../ledger/acting-flow.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/** See `LedgerActivities.abandonEvolution`. */
export async function endEvolution(
  { ledger }: Pick<LedgerTools, 'ledger'>,
  { repository, tag, why }: AbandonEvolution,
  { workflowId, runId, who }: RunningFlow,
): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const found = await trx
      .selectFrom('evolutions')
      .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
      .select(['evolutions.evolution_id as id', 'evolutions.status', 'evolutions.change_id as change'])
      .where('generations.repository', '=', repository)
      .where('evolutions.tag', '=', tag)
      .forUpdate()
      .executeTakeFirst();
    if (found === undefined) throw new LonghaulError('InvalidInput', `${repository} has no evolution ${tag}.`);
    const { id, status, change } = found;
    if (status === 'abandoned') return;
    if (status !== 'pending' && status !== 'running') {
      throw new LonghaulError('EvolutionEnded', `${tag} ended as ${status}, so it cannot be abandoned.`);
    }
    await trx
      .updateTable('evolutions')
      .set({ status: 'abandoned', completed_at: new Date() })
      .where('evolution_id', '=', id)
      .execute();
    await recordEvent(trx, {
      event_type: 'evolution.abandoned',
      repository,
      resource_type: 'evolution',
      resource_id: tag,
      action: 'abandon',
      status: 'success',
      ...who,
      why,
      workflow_id: workflowId,
      run_id: runId,
      details: { change },
    });
  });
}
