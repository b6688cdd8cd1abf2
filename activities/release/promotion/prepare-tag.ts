import type { ChainEnd, ReleaseCommit } from '../../../domain/release/promotion/promotion.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { storeJson } from '../pipelines/stored-plan.ts';
import { notInLedger } from './generation-facts.ts';

/** What the final tag of a generation records, and its rows as they are before the promotion. */
export interface PreparedTag {
  readonly chain: ChainEnd;
  /** Digest of the rows. */
  readonly before: string;
  readonly description: string;
}

/** See `LedgerActivities.prepareTag`. */
export async function prepareTag(
  { ledger, blobs }: LedgerTools,
  { repository, version }: Pick<ReleaseCommit, 'repository' | 'version'>,
): Promise<PreparedTag> {
  const read = ledger.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
  const { chain, rows, description } = await read.execute(async (trx) => {
    const end = await trx.selectFrom('ledger').select(['event_id', 'hash']).executeTakeFirstOrThrow();
    const generation = await trx
      .selectFrom('generations')
      .selectAll()
      .where('repository', '=', repository)
      .where('version', '=', version)
      .executeTakeFirst();
    if (generation === undefined) throw notInLedger(repository, version);
    const { generation_id: id } = generation;
    const [changes, evolutions] = await Promise.all([
      trx.selectFrom('generation_changes').selectAll().where('generation_id', '=', id).orderBy('position').execute(),
      trx.selectFrom('evolutions').selectAll().where('generation_id', '=', id).orderBy('rc').execute(),
    ]);
    return { chain: end, rows: { generation, changes, evolutions }, description: generation.description };
  });
  return {
    chain: { event: chain.event_id, hash: chain.hash, at: new Date().toISOString() },
    before: await storeJson(blobs, rows),
    description,
  };
}
