import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import { Pool, TypeOverrides, types } from 'pg';
import { postgresOptions } from '../../platform/postgres-client.ts';
import { ledgerFailure } from './ledger-failure.ts';
import { LEDGER_SCHEMA, type LedgerTables } from './tables.ts';

/** The ledger: typed queries on its tables, over a pool of connections with one login. */
export type LedgerDatabase = Kysely<LedgerTables>;

/** A transaction in the ledger. */
export type LedgerTransaction = Transaction<LedgerTables>;

/** Opens the ledger with a login. Connects at the first query; `destroy()` closes the connections. */
export function openLedger(url: string, { connections = 10 }: { readonly connections?: number } = {}): LedgerDatabase {
  const numbers = new TypeOverrides();
  // numbers of events and sizes are far below 2^53
  numbers.setTypeParser(types.builtins.INT8, Number);
  const pool = new Pool({
    ...postgresOptions(url, { search_path: LEDGER_SCHEMA }),
    max: connections,
    types: numbers,
  });
  // a connection that is lost is replaced at the next query; the query or transaction that used it fails by itself
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) });
}

/** Opens the ledger for `use` and closes it. Throws as {@link ledgerFailure} names what went wrong. */
export async function withLedger<Result>(
  url: string,
  use: (ledger: LedgerDatabase) => Promise<Result>,
): Promise<Result> {
  const ledger = openLedger(url, { connections: 2 });
  try {
    return await use(ledger);
  } catch (error) {
    throw ledgerFailure(error, url);
  } finally {
    await ledger.destroy();
  }
}
