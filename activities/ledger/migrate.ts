import { sql } from 'kysely';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { recordEvent } from './audit.ts';
import type { LedgerLogins } from './logins.ts';
import { grantRights, makeLogins, refusedLogins } from './make-logins.ts';
import { type AppliedMigration, checkApplied, loadMigrations, type Migration, stepsTo } from './migrations.ts';
import { type LedgerDatabase, type LedgerTransaction, withLedger } from './open-ledger.ts';
import { LEDGER_SCHEMA } from './tables.ts';

/** The versions of a ledger. */
export interface LedgerVersions {
  /** What the database has, in order. */
  readonly applied: readonly AppliedMigration[];
  /** What this version of Longhaul knows, in order. */
  readonly known: readonly Migration[];
}

/** What a migration did. */
export interface Migrated {
  readonly from: number;
  readonly to: number;
  /** Logins that were created, or got a password. */
  readonly logins: readonly string[];
}

/** Which migrations to apply. */
export interface MigrateOptions {
  /** The version to reach. A lower one deletes the tables that were added after it. @default the newest */
  readonly target?: number | undefined;
  /** The person who migrates, for the audit trail. */
  readonly actor: string;
  /** @default those of this version of Longhaul */
  readonly migrations?: readonly Migration[];
}

/** All migrators of one database wait for this advisory lock. */
const LOCK = 6_118_040_217_405_183n;

/** Reads the versions of a ledger; nothing is applied in a database without one. Throws as `withLedger` does. */
export async function readVersions(url: string): Promise<LedgerVersions> {
  const known = await loadMigrations();
  return withLedger(url, async (ledger) => ({ applied: await readApplied(ledger), known }));
}

/** Throws `LedgerNewer`, `LedgerChanged`, or `LedgerOutdated` unless the ledger has exactly the migrations known here. */
export async function checkVersion(url: string): Promise<void> {
  const { applied, known } = await readVersions(url);
  checkApplied(applied, known);
  if (applied.length === known.length) return;
  throw new LonghaulError(
    'LedgerOutdated',
    `The ledger has migration ${applied.length} of ${known.length} that this version of Longhaul needs.`,
  );
}

/**
 * Brings the tables of a ledger to a version, creates the lesser logins if they are missing, and gives them their
 * rights: all in one transaction, one process at a time. Throws `LedgerNewer`, `LedgerChanged`, `InvalidInput` for an
 * unknown target, `InvalidConfiguration` when the owner may not create logins.
 */
export async function migrateLedger(
  logins: LedgerLogins,
  { target, actor, migrations }: MigrateOptions,
): Promise<Migrated> {
  const known = migrations ?? (await loadMigrations());
  const goal = target ?? known.length;
  if (goal > known.length) {
    throw new LonghaulError('InvalidInput', `There is no migration ${goal}: the newest is ${known.length}.`);
  }
  return withLedger(logins.owner, async (ledger) => {
    const refused = await refusedLogins(logins);
    return ledger.transaction().execute(async (trx) => {
      await sql`SELECT pg_advisory_xact_lock(${LOCK})`.execute(trx);
      await createVersions(trx);
      const applied = await readApplied(trx);
      checkApplied(applied, known);
      for (const { direction, migration } of stepsTo(goal, applied.length, known)) {
        await sql.raw(migration[direction]).execute(trx);
        await note(trx, direction, migration);
      }
      await makeLogins(trx, refused);
      await grantRights(trx, logins);
      if (goal !== applied.length) await recordMigration(trx, { from: applied.length, to: goal, actor });
      return { from: applied.length, to: goal, logins: refused.map((url) => new URL(url).username) };
    });
  });
}

async function createVersions(trx: LedgerTransaction): Promise<void> {
  await sql.raw(`CREATE SCHEMA IF NOT EXISTS ${LEDGER_SCHEMA}`).execute(trx);
  await sql
    .raw(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        checksum text NOT NULL
      )`,
    )
    .execute(trx);
}

async function readApplied(ledger: LedgerDatabase): Promise<AppliedMigration[]> {
  try {
    return await ledger.selectFrom('schema_migrations').selectAll().orderBy('version').execute();
  } catch (error) {
    if (hasCode(error, '42P01')) return [];
    throw error;
  }
}

async function note(
  trx: LedgerTransaction,
  direction: 'up' | 'down',
  { version, name, checksum }: Migration,
): Promise<void> {
  if (direction === 'up') await trx.insertInto('schema_migrations').values({ version, name, checksum }).execute();
  else await trx.deleteFrom('schema_migrations').where('version', '=', version).execute();
}

/** A ledger that has an audit trail records its migrations there. */
async function recordMigration(
  trx: LedgerTransaction,
  { from, to, actor }: { readonly from: number; readonly to: number; readonly actor: string },
): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`SELECT to_regclass('audit_events') IS NOT NULL AS there`.execute(trx);
  if (rows[0]?.there !== true) return;
  await recordEvent(trx, {
    event_type: 'ledger.migrated',
    resource_type: 'ledger',
    resource_id: LEDGER_SCHEMA,
    action: 'migrate',
    status: 'success',
    actor,
    authenticated_by: 'database login',
    details: { from, to },
  });
}
