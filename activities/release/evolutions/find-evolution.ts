import type { FindEvolution, FoundEvolution, PendingEvolution } from '../../../domain/release/evolutions/evolution.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** See `LedgerActivities.findEvolution`: by its tag, by the changes that the commit's message names, or the person's only one. */
export async function findEvolution(
  ledger: LedgerDatabase,
  { repository, tag, named, by }: FindEvolution,
): Promise<FoundEvolution | null> {
  const pending = await ledger
    .selectFrom('evolutions')
    .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
    .select([
      'evolutions.evolution_id as id',
      'evolutions.tag',
      'evolutions.rc',
      'evolutions.change_id as change',
      'evolutions.created_by as by',
      'generations.version',
    ])
    .where('generations.repository', '=', repository)
    .where('evolutions.status', 'in', ['pending', 'running'])
    .orderBy('evolutions.created_at')
    .execute();
  const found = pending.filter((each) =>
    tag !== null ? each.tag === tag : named.length > 0 ? named.includes(each.change) : each.by === by,
  );
  const [first, second] = found;
  if (tag !== null && first === undefined) {
    throw new LonghaulError('InvalidInput', `${repository} has no pending evolution ${tag}.`);
  }
  if (second !== undefined) {
    const list = found.map((each) => `${each.tag} (${each.change})`).join(', ');
    throw new LonghaulError(
      'InvalidInput',
      `Several pending evolutions could be meant: ${list}. Name one with --evolution.`,
    );
  }
  if (first === undefined) return null;
  const { by: _by, ...evolution } = first;
  return evolution;
}

/** See `LedgerActivities.pendingEvolutions`. Those of an imported ledger that have no pipeline are left out. */
export async function pendingEvolutions(
  ledger: LedgerDatabase,
  repository: string,
): Promise<readonly PendingEvolution[]> {
  const pending = await ledger
    .selectFrom('evolutions')
    .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
    .select(['evolutions.tag', 'evolutions.change_id as change', 'evolutions.pipeline', 'generations.version'])
    .where('generations.repository', '=', repository)
    .where('evolutions.status', 'in', ['pending', 'running'])
    .orderBy('evolutions.created_at')
    .limit(1_000)
    .execute();
  return pending.flatMap(({ pipeline, ...rest }) => (pipeline === null ? [] : [{ ...rest, pipeline }]));
}
