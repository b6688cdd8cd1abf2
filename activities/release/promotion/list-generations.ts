import { sql } from 'kysely';
import { rcompare } from 'semver';
import type { ListedGeneration } from '../../../domain/release/promotion/describe-generation.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** The generations of a repository, the highest version first. */
export async function listGenerations(
  ledger: LedgerDatabase,
  repository: string,
): Promise<readonly Omit<ListedGeneration, 'isLocal'>[]> {
  const rows = await ledger
    .selectFrom('generations')
    .leftJoin('generation_changes', (join) =>
      join
        .onRef('generation_changes.generation_id', '=', 'generations.generation_id')
        // others were moved to a later generation; an imported ledger has no contracts
        .on(
          sql<boolean>`contract->'changes' IS NULL
            OR contract->'changes' @> jsonb_build_array(jsonb_build_object('id', change_id))`,
        ),
    )
    .select(['generations.version', 'generations.status', 'generations.description', 'generations.promoted_at'])
    .select(({ fn }) => [
      fn.count<number>('generation_changes.change_id').as('changes'),
      fn
        .count<number>('generation_changes.change_id')
        .filterWhere('generation_changes.status', '=', 'proven')
        .as('proven'),
    ])
    .where('generations.repository', '=', repository)
    .groupBy('generations.generation_id')
    .execute();
  return rows
    .map(({ promoted_at: promotedAt, ...rest }) => ({ ...rest, promotedAt: promotedAt?.toISOString() ?? null }))
    .toSorted((a, b) => rcompare(a.version, b.version));
}
