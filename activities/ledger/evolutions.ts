import type { LedgerTransaction } from './open-ledger.ts';

/** A new attempt to prove a change. */
export interface NewEvolution {
  /** Chosen by the caller, so that a repeated call finds the first one. */
  readonly evolutionId: string;
  readonly generationId: string;
  readonly changeId: string;
  readonly pipeline: string;
  /** The team of the change. @default null */
  readonly team?: string | null;
  readonly createdBy: string;
}

/**
 * Adds a pending evolution and gives it the next rc number of its generation, in the caller's transaction. Numbers have
 * no gaps, and a rolled-back transaction uses none. A call with a known `evolutionId` returns what the first one did.
 */
export async function addEvolution(
  trx: LedgerTransaction,
  evolution: NewEvolution,
): Promise<{ readonly rc: number; readonly tag: string }> {
  const { evolutionId, generationId, changeId, pipeline, team = null, createdBy } = evolution;
  // concurrent starts of a generation take turns: each then sees the numbers of those before it
  const { version } = await trx
    .selectFrom('generations')
    .select('version')
    .where('generation_id', '=', generationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const before = await trx
    .selectFrom('evolutions')
    .select(['rc', 'tag'])
    .where('evolution_id', '=', evolutionId)
    .executeTakeFirst();
  if (before !== undefined) return before;
  const { highest } = await trx
    .selectFrom('evolutions')
    .select(({ fn }) => fn.max('rc').as('highest'))
    .where('generation_id', '=', generationId)
    .executeTakeFirstOrThrow();
  const rc = (highest ?? 0) + 1;
  const tag = `${version}-rc.${rc}`;
  await trx
    .insertInto('evolutions')
    .values({
      evolution_id: evolutionId,
      generation_id: generationId,
      change_id: changeId,
      rc,
      tag,
      pipeline,
      team,
      created_by: createdBy,
    })
    .execute();
  return { rc, tag };
}
