import { recordEvent } from './audit.ts';
import type { GrytDatabase, GrytRow } from './gryt-database.ts';
import { type LeftOut, planGrytImport } from './gryt-plan.ts';
import type { LedgerDatabase, LedgerTransaction } from './open-ledger.ts';

/** Where a gryt database belongs, and who imports it. */
export interface GrytImport {
  /** Id of the repository. */
  readonly repository: string;
  /** The commit of a tag of the repository; null when there is no such tag. */
  readonly commitOf: (tag: string) => string | null;
  /** The person, for the audit trail. */
  readonly actor: string;
}

/** What an import added to the ledger, and what it left out. */
export interface GrytImported {
  readonly generations: number;
  readonly changes: number;
  readonly evolutions: number;
  readonly events: number;
  readonly left: readonly LeftOut[];
}

/**
 * Adds the contents of a gryt database to the ledger, in one transaction. A generation that the ledger has stays as it is
 * there. The events of gryt become events of the audit trail, which say that they were imported. The same file is imported
 * once.
 */
export function importGryt(
  ledger: LedgerDatabase,
  database: GrytDatabase,
  { repository, commitOf, actor }: GrytImport,
): Promise<GrytImported> {
  return ledger.transaction().execute(async (trx) => {
    const nothing = { generations: 0, changes: 0, evolutions: 0, events: 0 };
    // appends take turns: a second import of the file waits here, then sees the first one
    await trx.selectFrom('ledger').select('ledger_id').forUpdate().execute();
    if (await wasImported(trx, repository, database.digest)) {
      return { ...nothing, left: [{ what: 'the file', why: 'it was imported before' }] };
    }
    const plan = planGrytImport(database, repository, commitOf);
    const added = new Set<string>();
    const left = [...plan.left];
    for (const generation of plan.generations) {
      const row = await trx
        .insertInto('generations')
        .values(generation)
        .onConflict((conflict) => conflict.columns(['repository', 'version']).doNothing())
        .returning('generation_id')
        .executeTakeFirst();
      if (row === undefined) left.push({ what: `generation ${generation.version}`, why: 'the ledger has it' });
      else added.add(row.generation_id);
    }
    const changes = plan.changes.filter(({ generation_id }) => added.has(generation_id));
    const evolutions = plan.evolutions.filter(({ generation_id }) => added.has(generation_id));
    for (const change of changes) await trx.insertInto('generation_changes').values(change).execute();
    for (const evolution of evolutions) await trx.insertInto('evolutions').values(evolution).execute();
    for (const row of database.audit_events) await recordGrytEvent(trx, repository, row);
    const counts = {
      generations: added.size,
      changes: changes.length,
      evolutions: evolutions.length,
      events: database.audit_events.length,
    };
    await recordEvent(trx, {
      event_type: IMPORTED,
      repository,
      resource_type: 'gryt database',
      resource_id: database.digest,
      action: 'import',
      status: 'success',
      actor,
      authenticated_by: 'database login',
      details: { ...counts, left: left.length },
    });
    return { ...counts, left };
  });
}

const IMPORTED = 'ledger.imported';

async function wasImported(trx: LedgerTransaction, repository: string, digest: string): Promise<boolean> {
  const found = await trx
    .selectFrom('audit_events')
    .select('event_id')
    .where('event_type', '=', IMPORTED)
    .where('repository', '=', repository)
    .where('resource_id', '=', digest)
    .executeTakeFirst();
  return found !== undefined;
}

/** An event of gryt, with all of its columns in the details: its time is not the one at which it is recorded here. */
async function recordGrytEvent(trx: LedgerTransaction, repository: string, row: GrytRow): Promise<void> {
  const text = (column: string): string => String(row[column] ?? 'unknown');
  const outcome = text('status');
  await recordEvent(trx, {
    event_type: `gryt.${text('event_type')}`,
    repository,
    resource_type: text('resource_type'),
    resource_id: text('resource_id'),
    action: text('action'),
    status: outcome === 'success' || outcome === 'refused' ? outcome : 'failure',
    actor: text('actor'),
    authenticated_by: 'imported',
    details: { imported: row },
  });
}
