import { Client, type Connection, type FieldDef, type Submittable } from 'pg';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { messageOf } from '../../platform/error-code.ts';
import { postgresOptions } from '../../platform/postgres-client.ts';
import { ledgerFailure } from './ledger-failure.ts';
import { LEDGER_SCHEMA } from './tables.ts';

/** What a query may use. */
export interface QueryLimits {
  /** Milliseconds. */
  readonly timeMs: number;
  readonly rows: number;
  /** Bytes from the server. */
  readonly bytes: number;
}

/** The limits of `longhaul db query`. */
export const QUERY_LIMITS: QueryLimits = { timeMs: 30_000, rows: 10_000, bytes: 16_000_000 };

/** The rows of a query, as PostgreSQL prints their values. */
export interface QueryResult {
  readonly columns: readonly { readonly name: string; /** Object id of its type. */ readonly type: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** The client waits this long for the server to end the query itself. */
const GRACE_MS = 5_000;

/**
 * Runs one statement that returns rows, in a transaction that can only read, with the reader's login. Of a repository,
 * the tables have only its rows; without one, all. Throws `InvalidInput` for a statement that PostgreSQL refuses,
 * `InvalidConfiguration` for a login that can do more than read, `QueryStopped` above a limit, `AuthenticationFailed`,
 * `ServerUnavailable`, `LedgerOutdated`.
 */
export async function queryLedger(
  url: string,
  text: string,
  { repository, limits = QUERY_LIMITS }: { readonly repository: string | null; readonly limits?: QueryLimits },
): Promise<QueryResult> {
  const client = new Client(
    postgresOptions(url, { search_path: LEDGER_SCHEMA, statement_timeout: String(limits.timeMs) }),
  );
  client.on('error', () => undefined);
  try {
    await client.connect();
    await refuseMightyLogin(client, url);
    await client.query('BEGIN TRANSACTION READ ONLY');
    if (repository !== null) await client.query("SELECT set_config('longhaul.repository', $1, false)", [repository]);
    return await readRows(client, text, limits);
  } catch (error) {
    throw queryFailure(error, url, limits);
  } finally {
    // not `end`, which would wait for a server that still sends
    client.connection.stream.destroy();
  }
}

/** A login that could write, or read files of the server, must not run what a person typed. */
async function refuseMightyLogin(client: Client, url: string): Promise<void> {
  const { rows } = await client.query<{ mighty: boolean }>(
    `SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
       OR pg_has_role('pg_read_server_files', 'member') OR pg_has_role('pg_write_server_files', 'member')
       OR pg_has_role('pg_execute_server_program', 'member') OR pg_has_role('pg_signal_backend', 'member')
       OR EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
         AND (pg_has_role(relowner, 'member') OR has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')))
       AS mighty
     FROM pg_roles WHERE rolname = current_user`,
    [LEDGER_SCHEMA],
  );
  if (rows[0]?.mighty === false) return;
  throw new LonghaulError(
    'InvalidConfiguration',
    `The login ${new URL(url).username} can do more than read: set DATABASE_READER_URL to one that only reads.`,
  );
}

function readRows(client: Client, text: string, limits: QueryLimits): Promise<QueryResult> {
  const { stream } = client.connection;
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.bytes) stream.destroy(new QueryLimitError(`it returned more than ${limits.bytes} bytes`));
  });
  const late = setTimeout(() => {
    stream.destroy(new QueryLimitError(`it took longer than ${limits.timeMs / 1000} s`));
  }, limits.timeMs + GRACE_MS);
  return new Promise<QueryResult>((resolve, reject) => {
    client.query(new OneStatement(text, limits.rows, resolve, reject));
  }).finally(() => clearTimeout(late));
}

/** Why a query was ended: the rest of a sentence. */
class QueryLimitError extends Error {}

/**
 * One statement by the extended protocol, in which the server accepts no second one. It runs only when the server has
 * described rows that it returns.
 */
class OneStatement implements Submittable {
  readonly #text: string;
  readonly #maxRows: number;
  readonly #resolve: (result: QueryResult) => void;
  readonly #reject: (error: Error) => void;
  #connection: Connection | null = null;
  #columns: QueryResult['columns'] = [];
  readonly #rows: (readonly (string | null)[])[] = [];
  #error: Error | null = null;

  constructor(text: string, maxRows: number, resolve: (result: QueryResult) => void, reject: (error: Error) => void) {
    this.#text = text;
    this.#maxRows = maxRows;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    connection.parse({ name: '', text: this.#text, types: [] }, true);
    connection.bind({ values: [] }, true);
    connection.describe({ type: 'P', name: '' }, true);
    connection.flush();
    const onNoRows = (): void => {
      this.#fail(new LonghaulError('InvalidInput', 'The statement returns no rows: only queries can be run.'));
    };
    connection.once('noData', onNoRows);
    connection.once('rowDescription', () => connection.off('noData', onNoRows));
  }

  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    this.#columns = fields.map(({ name, dataTypeID: type }) => ({ name, type }));
    this.#connection?.execute({ rows: String(this.#maxRows + 1) }, true);
    this.#connection?.sync();
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#rows.push(fields);
  }

  handlePortalSuspended(): void {
    this.#error = new QueryLimitError(`it returned more than ${this.#maxRows} rows`);
  }

  handleCommandComplete(): void {
    if (this.#rows.length > this.#maxRows) this.handlePortalSuspended();
  }

  handleError(error: Error): void {
    this.#fail(error);
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    if (this.#error === null) this.#resolve({ columns: this.#columns, rows: this.#rows });
    else this.#reject(this.#error);
  }

  #fail(error: Error): void {
    this.#error = error;
    this.#connection?.sync();
  }
}

function queryFailure(error: unknown, url: string, { timeMs }: QueryLimits): unknown {
  if (error instanceof LonghaulError) return error;
  if (error instanceof QueryLimitError) return stopped(error.message, error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // query_canceled
  if (code === '57014') return stopped(`it took longer than ${timeMs / 1000} s`, error);
  const named = ledgerFailure(error, url);
  // a missing table is most often misspelt
  if (named !== error && code !== '42P01' && code !== '42883') return named;
  // any other answer of the server is about the statement
  if (/^[0-9A-Z]{5}$/.test(code)) {
    return new LonghaulError('InvalidInput', `PostgreSQL refuses the query: ${messageOf(error)}.`, { cause: error });
  }
  return error;
}

function stopped(why: string, cause: unknown): LonghaulError {
  return new LonghaulError('QueryStopped', `The query was ended: ${why}.`, { cause });
}
