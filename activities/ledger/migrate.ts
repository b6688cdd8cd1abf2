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
  /** Milliseconds to wait for each lock. @default 120,000, longer than `longhaul db query` can hold one */
  readonly waitMs?: number;
}

/** As the default of {@link MigrateOptions.waitMs}. */
const WAIT_MS = 120_000;
/** PostgreSQL: a lock was not available in time. */
const LATE = '55P03';
/** PostgreSQL: another migrator has made the schema or the table meanwhile. */
const MADE = ['23505', '42P06', '42P07'];
/** Sessions that are named when a migration waits for them. */
const MOST_NAMED = 5;

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
 * unknown target, `InvalidConfiguration` when the owner may not create logins, `LedgerBusy` when other sessions keep a table
 * locked.
 */
export async function migrateLedger(
  logins: LedgerLogins,
  { target, actor, migrations, waitMs = WAIT_MS }: MigrateOptions,
): Promise<Migrated> {
  const known = migrations ?? (await loadMigrations());
  const goal = target ?? known.length;
  if (goal > known.length) {
    throw new LonghaulError('InvalidInput', `There is no migration ${goal}: the newest is ${known.length}.`);
  }
  return withLedger(logins.owner, async (ledger) => {
    const refused = await refusedLogins(logins);
    return inTurn(ledger, waitMs, async (trx) => {
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

/** Runs a transaction while no other migrator has one. Throws `LedgerBusy`. */
async function inTurn<Result>(
  ledger: LedgerDatabase,
  waitMs: number,
  work: (trx: LedgerTransaction) => Promise<Result>,
): Promise<Result> {
  let isLocked = false;
  for (;;) {
    try {
      return await ledger.transaction().execute(async (trx) => {
        await sql.raw(`SET LOCAL lock_timeout = ${waitMs}`).execute(trx);
        await createVersions(trx);
        // not an advisory lock, which every login can take and keep, also one that only reads
        await sql.raw('LOCK TABLE schema_migrations IN EXCLUSIVE MODE').execute(trx);
        isLocked = true;
        return work(trx);
      });
    } catch (error) {
      if (hasCode(error, LATE)) throw await busy(ledger, waitMs, error);
      if (isLocked || !hasCode(error, ...MADE)) throw error;
    }
  }
}

/** The failure of a migration that has waited too long, with the sessions that it may have waited for. */
async function busy(ledger: LedgerDatabase, waitMs: number, cause: unknown): Promise<LonghaulError> {
  // a session of another login shows its owner no more than this
  const { rows } = await sql<{ pid: number; login: string }>`
    SELECT pid, usename AS login FROM pg_stat_activity AS session
    WHERE pid <> pg_backend_pid() AND EXISTS (
      SELECT FROM pg_locks JOIN pg_class ON pg_class.oid = relation
      WHERE pg_locks.pid = session.pid AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND relnamespace = to_regnamespace(${LEDGER_SCHEMA})
    ) ORDER BY pid`.execute(ledger);
  const named = rows.slice(0, MOST_NAMED).map(({ pid, login }) => `${login} (process ${pid})`);
  const more = rows.length > MOST_NAMED ? [`${rows.length - MOST_NAMED} more`] : [];
  const who = [...named, ...more].join(', ') || 'sessions that have ended meanwhile';
  return new LonghaulError(
    'LedgerBusy',
    `The ledger was not migrated: for ${waitMs / 1_000} s, tables of it were in use by ${who}.`,
    { cause },
  );
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
