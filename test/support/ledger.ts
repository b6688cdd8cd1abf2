import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { type LedgerLogins, ledgerLogins } from '../../activities/ledger/logins.ts';
import { migrateLedger } from '../../activities/ledger/migrate.ts';
import { withPostgres } from '../../platform/postgres-client.ts';

/** A database of its own, with its logins. */
export interface TestLedger {
  readonly logins: LedgerLogins;
  /** Rows of a statement that the owner runs. */
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  dispose(): Promise<void>;
}

/**
 * A new database, migrated to the newest version unless `target` says otherwise, in the shared PostgreSQL unless
 * `superuserUrl` is the login of another one. `password`: that of its owner.
 */
export async function createTestLedger({
  target,
  superuserUrl = inject('stack').superuserUrl,
  password = 'owner',
}: {
  readonly target?: number;
  readonly superuserUrl?: string;
  readonly password?: string;
} = {}): Promise<TestLedger> {
  const name = `test_${randomBytes(5).toString('hex')}`;
  await withPostgres(superuserUrl, async (client) => {
    await client.query(`CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD '${password}'`);
    await client.query(`CREATE DATABASE ${name} OWNER ${name}`);
  });
  const url = new URL(superuserUrl);
  Object.assign(url, { username: name, password, pathname: `/${name}` });
  const logins = ledgerLogins(url.href, {});
  if (target !== 0) await migrateLedger(logins, { target, actor: 'tester' });
  return {
    logins,
    sql: (text, values = []) => rowsOf(logins.owner, text, values),
    dispose: () =>
      withPostgres(superuserUrl, async (client) => {
        await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
        for (const role of [`${name}_writer`, `${name}_gates`, `${name}_reader`, name])
          await client.query(`DROP ROLE IF EXISTS ${role}`);
      }),
  };
}

/** Rows of a statement, by a login. */
export function rowsOf<Row extends object>(url: string, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  return withPostgres(url, async (client) => {
    await client.query('SET search_path = longhaul');
    return (await client.query<Row>(text, [...values])).rows;
  });
}

/** Adds a generation with one change, by plain SQL. */
export async function addGeneration(
  { sql }: TestLedger,
  {
    id,
    repository,
    version,
    at = '2024-02-01T00:00:00Z',
  }: { readonly id: string; readonly repository: string; readonly version: string; readonly at?: string },
): Promise<void> {
  await sql(
    `INSERT INTO generations (generation_id, repository, version, contract, contract_digest, created_by, created_at)
     VALUES ($1, $2, $3, '{}', 'digest', 'ada', $4)`,
    [id, repository, version, at],
  );
  await sql(
    `INSERT INTO generation_changes (generation_id, change_id, position, type, title, created_at)
     VALUES ($1, 'FEAT-1', 0, 'add', 'a feature', $2)`,
    [id, at],
  );
}
