import type { DuePart, PartEnd } from '../../../domain/release/promotion/publication.ts';
import type { LedgerDatabase, LedgerTransaction } from '../../ledger/open-ledger.ts';
import { notInLedger } from './generation-facts.ts';

/** A promoted generation. */
interface PublishedGeneration {
  readonly repository: string;
  readonly version: string;
}

/** How an attempt to publish a part of a release ended. */
export interface RecordPart extends PublishedGeneration {
  readonly part: Pick<DuePart, 'kind' | 'name' | 'attempts'>;
  readonly end: PartEnd;
}

/** See `LedgerActivities.duePublications`. `channels` are those that get announcements. */
export async function duePublications(
  ledger: LedgerDatabase,
  generation: PublishedGeneration,
  channels: readonly string[],
): Promise<readonly DuePart[]> {
  return ledger.transaction().execute(async (trx) => {
    const id = await idOf(trx, generation);
    const rows = channels.map((name) => ({ generation_id: id, kind: 'announcement' as const, name }));
    if (rows.length > 0) {
      await trx
        .insertInto('publications')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    const due = await trx
      .selectFrom('publications')
      .select(['kind', 'name', 'digest', 'size', 'attempts'])
      .where('generation_id', '=', id)
      .where('status', '=', 'pending')
      .orderBy('kind', 'desc')
      .orderBy('name')
      .execute();
    return due.flatMap(({ kind, name, digest, size, attempts }): DuePart[] => {
      if (kind === 'asset') return [{ kind, name, digest: digest ?? '', size: Number(size), attempts }];
      // a channel that the configuration has no more
      return channels.includes(name) ? [{ kind, name, attempts }] : [];
    });
  });
}

/** See `LedgerActivities.recordPart`. */
export async function recordPart(ledger: LedgerDatabase, { part, end, ...generation }: RecordPart): Promise<void> {
  await ledger.transaction().execute(async (trx) => {
    const id = await idOf(trx, generation);
    const { status, attempts, url, refusal } = end;
    await trx
      .updateTable('publications')
      .set({
        status,
        attempts: part.attempts + attempts,
        url,
        problem: refusal === null ? null : `${refusal.type}: ${refusal.message}`.slice(0, 1_000),
        published_at: status === 'pending' ? null : new Date(),
      })
      .where('generation_id', '=', id)
      .where('kind', '=', part.kind)
      .where('name', '=', part.name)
      .execute();
  });
}

async function idOf(trx: LedgerTransaction, { repository, version }: PublishedGeneration): Promise<string> {
  const found = await trx
    .selectFrom('generations')
    .select('generation_id')
    .where('repository', '=', repository)
    .where('version', '=', version)
    .executeTakeFirst();
  if (found === undefined) throw notInLedger(repository, version);
  return found.generation_id;
}
