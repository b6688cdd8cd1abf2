import type {
  FindEvolution,
  FoundEvolution,
  PendingEvolution,
  ProvenAt,
  ProvenEvolution,
} from '../../../domain/release/evolutions/evolution.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { LedgerDatabase } from '../../ledger/open-ledger.ts';

/** See `LedgerActivities.findEvolution`: by its tag, by the changes that the commit's message names, or the person's only one. */
export async function findEvolution(
  ledger: LedgerDatabase,
  { repository, commit, tag, named, by }: FindEvolution,
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
    // it has passed here: what an earlier run left undone is done again
    if (await hasPassed(ledger, { repository, commit, tag })) return null;
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

/** Whether an evolution has passed at a commit. */
async function hasPassed(
  ledger: LedgerDatabase,
  { repository, commit, tag }: { readonly repository: string; readonly commit: string; readonly tag: string },
): Promise<boolean> {
  const found = await ledger
    .selectFrom('evolutions')
    .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
    .select('evolutions.tag')
    .where('generations.repository', '=', repository)
    .where('evolutions.tag', '=', tag)
    .where('evolutions.status', '=', 'pass')
    .where('evolutions.commit', '=', commit)
    .executeTakeFirst();
  return found !== undefined;
}

/** See `LedgerActivities.provenEvolutions`. */
export async function provenEvolutions(
  ledger: LedgerDatabase,
  { repository, pipeline, commit }: ProvenAt,
): Promise<readonly ProvenEvolution[]> {
  const found = await ledger
    .selectFrom('evolutions')
    .innerJoin('generations', 'generations.generation_id', 'evolutions.generation_id')
    .select([
      'evolutions.tag',
      'evolutions.change_id as change',
      'evolutions.completed_at as at',
      'generations.version',
    ])
    .where('generations.repository', '=', repository)
    .where('generations.status', '=', 'draft')
    .where('evolutions.status', '=', 'pass')
    .where('evolutions.pipeline', '=', pipeline)
    .where('evolutions.commit', '=', commit)
    .where('evolutions.proof', 'is not', null)
    .orderBy('evolutions.completed_at')
    .execute();
  return found.flatMap(({ at, ...rest }) => (at === null ? [] : [{ ...rest, at: at.toISOString() }]));
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
