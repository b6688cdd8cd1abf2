import type { FailedAttempt, FoundEvolution } from '../../../domain/release/evolutions/evolution.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** Failures of a change that are looked at: the latest ones. */
const MOST = 200;

/** The failed evolutions of an evolution's change that nothing supersedes yet, the latest first. */
export async function failedAttempts(
  ledger: LedgerDatabase,
  { id, change }: Pick<FoundEvolution, 'id' | 'change'>,
): Promise<readonly FailedAttempt[]> {
  return ledger
    .selectFrom('evolutions')
    .select(['tag', 'commit'])
    .where('generation_id', '=', (query) =>
      query.selectFrom('evolutions as own').select('own.generation_id').where('own.evolution_id', '=', id),
    )
    .where('change_id', '=', change)
    .where('status', '=', 'fail')
    .where('superseded_by', 'is', null)
    .orderBy('rc', 'desc')
    .limit(MOST)
    .execute();
}
