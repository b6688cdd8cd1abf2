import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import { Pool, TypeOverrides, types } from 'pg';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode, messageOf } from '../../platform/error-code.ts';
import { postgresOptions } from '../../platform/postgres-client.ts';
import { LEDGER_SCHEMA, type LedgerTables } from './tables.ts';

/** The ledger: typed queries on its tables, over a pool of connections with one login. */
export type LedgerDatabase = Kysely<LedgerTables>;

/** A transaction in the ledger. */
export type LedgerTransaction = Transaction<LedgerTables>;

/** Opens the ledger with a login. Connects at the first query; `destroy()` closes the connections. */
export function openLedger(url: string, { connections = 10 }: { readonly connections?: number } = {}): LedgerDatabase {
  const options = postgresOptions(url);
  const numbers = new TypeOverrides();
  // numbers of events and sizes are far below 2^53
  numbers.setTypeParser(types.builtins.INT8, Number);
  const pool = new Pool({
    ...options,
    options: `${options.options} -c search_path=${LEDGER_SCHEMA}`,
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

/** Codes of PostgreSQL: a refused login, a missing table or schema, a server that shuts down or has no connection left. */
const REFUSED = ['28P01', '28000'];
const MISSING = ['42P01', '3F000', '42883'];
const UNREACHABLE = [
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08006',
  '08001',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
];

/**
 * The named failure of an error of the ledger: `AuthenticationFailed`, `LedgerOutdated` when tables are missing,
 * `ServerUnavailable`; any other error as it is.
 */
export function ledgerFailure(error: unknown, url: string): unknown {
  const { hostname, port, pathname, username } = new URL(url);
  const place = `the database ${pathname.slice(1)} at ${hostname}:${port || 5432}`;
  const options = { cause: error };
  if (hasCode(error, ...REFUSED)) {
    return new LonghaulError('AuthenticationFailed', `The login ${username} is refused by ${place}.`, options);
  }
  if (hasCode(error, ...MISSING)) {
    return new LonghaulError(
      'LedgerOutdated',
      `A table of the ledger is missing in ${place}: ${messageOf(error)}.`,
      options,
    );
  }
  if (hasCode(error, ...UNREACHABLE) || /timeout|Connection terminated|not queryable/.test(messageOf(error))) {
    const why = messageOf(error) || 'no connection';
    return new LonghaulError('ServerUnavailable', `PostgreSQL does not answer for ${place}: ${why}.`, options);
  }
  return error;
}
