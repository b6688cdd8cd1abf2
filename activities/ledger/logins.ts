import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { knowSecrets } from '../../domain/shared/known-secrets.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { withPostgres } from '../../platform/postgres-client.ts';
import type { LedgerTransaction } from './open-ledger.ts';
import { GATES_RIGHTS, LEDGER_SCHEMA, WRITER_RIGHTS } from './tables.ts';

/** The addresses of a ledger with its four logins. */
export interface LedgerLogins {
  /** Owns the tables; migrates them. */
  readonly owner: string;
  /** What workers use. It can neither change nor delete audit events, nor decide gates. */
  readonly writer: string;
  /** What records decisions of people: the gateway. It can add decisions and audit events, nothing else. */
  readonly gates: string;
  /** Reads, nothing else. */
  readonly reader: string;
}

/** The logins below the owner's. */
type Lesser = 'writer' | 'gates' | 'reader';

const VARIABLES = {
  writer: 'DATABASE_WRITER_URL',
  gates: 'DATABASE_GATES_URL',
  reader: 'DATABASE_READER_URL',
} as const;

/**
 * The address with a login: from `DATABASE_WRITER_URL`, `DATABASE_GATES_URL` or `DATABASE_READER_URL`, else derived from
 * the owner's: the name is that of the database with `_writer`, `_gates` or `_reader`, the password an HMAC of the
 * owner's, which no log or failure of this process has from then on. Null when neither is known. Throws
 * `InvalidConfiguration`.
 */
export function lesserLogin(which: Lesser, owner: string | null, env: NodeJS.ProcessEnv): string | null {
  const variable = VARIABLES[which];
  const given = env[variable];
  if (given !== undefined && given !== '') {
    if (URL.parse(given)?.protocol.startsWith('postgres')) return given;
    throw new LonghaulError(
      'InvalidConfiguration',
      `${variable} is not the URL of a database: give it as postgres://user:password@host:port/name.`,
    );
  }
  if (owner === null) return null;
  const url = new URL(owner);
  if (url.password === '') {
    throw new LonghaulError(
      'InvalidConfiguration',
      `DATABASE_URL has no password from which that of the ${which} could be derived: set ${variable}.`,
    );
  }
  const password = decodeURIComponent(url.password);
  url.username = `${decodeURIComponent(url.pathname.slice(1))}_${which}`;
  url.password = createHmac('sha256', password).update(`longhaul ledger ${which}`).digest('base64url');
  knowSecrets([url.password]);
  return url.href;
}

/** The four logins of a ledger, from the owner's. Throws `InvalidConfiguration`. */
export function ledgerLogins(owner: string, env: NodeJS.ProcessEnv): LedgerLogins {
  return {
    owner,
    writer: lesserLogin('writer', owner, env) ?? owner,
    gates: lesserLogin('gates', owner, env) ?? owner,
    reader: lesserLogin('reader', owner, env) ?? owner,
  };
}

/** What an administrator runs to create the lesser logins, when the owner may not: passwords as SCRAM verifiers. */
export function sqlForLogins(logins: LedgerLogins): readonly string[] {
  return [logins.writer, logins.gates, logins.reader].map(
    (url) => `CREATE ROLE ${quoted(nameIn(url))} ${loginAttributes(url)};`,
  );
}

/** The logins that are missing or have another password. */
export async function refusedLogins({ writer, gates, reader }: LedgerLogins): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const url of [writer, gates, reader]) {
    try {
      await withPostgres(url, (client) => client.query('SELECT 1'));
    } catch (error) {
      if (!hasCode(error, '28P01', '28000')) throw error;
      refused.push(url);
    }
  }
  return refused;
}

/** Creates these logins, or sets their passwords. Throws `InvalidConfiguration` when the owner may not. */
export async function makeLogins(trx: LedgerTransaction, urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const name = nameIn(url);
    const { rows } = await sql`SELECT FROM pg_roles WHERE rolname = ${name}`.execute(trx);
    const verb = rows.length === 0 ? 'CREATE' : 'ALTER';
    try {
      await sql.raw(`${verb} ROLE ${quoted(name)} ${loginAttributes(url)}`).execute(trx);
    } catch (error) {
      if (!hasCode(error, '42501')) throw error;
      throw new LonghaulError(
        'InvalidConfiguration',
        `The owner of the ledger may not ${verb === 'CREATE' ? 'create' : 'change'} the login ${name}: ` +
          'let an administrator run what `longhaul db logins` prints.',
        { cause: error },
      );
    }
  }
}

/** Gives the lesser logins exactly their rights on the tables that exist. Idempotent. */
export async function grantRights(trx: LedgerTransaction, logins: LedgerLogins): Promise<void> {
  const writer = nameIn(logins.writer);
  const gates = nameIn(logins.gates);
  const reader = nameIn(logins.reader);
  const owner = nameIn(logins.owner);
  const run = (statement: string): Promise<unknown> => sql.raw(statement).execute(trx);
  const { rows } = await sql<{ name: string }>`
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = ${LEDGER_SCHEMA}::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`.execute(trx);
  const tables = new Set(rows.map(({ name }) => name));
  const { rows: locks } = await sql`
    SELECT FROM pg_proc WHERE pronamespace = ${LEDGER_SCHEMA}::regnamespace AND proname = 'lock_gate'`.execute(trx);
  const hasLockGate = locks.length > 0;
  for (const name of new Set([writer, gates, reader])) {
    // one login for everything has the rights of an owner
    if (name === owner) continue;
    await run(`GRANT USAGE ON SCHEMA ${LEDGER_SCHEMA} TO ${quoted(name)}`);
    await run(`REVOKE ALL ON ALL TABLES IN SCHEMA ${LEDGER_SCHEMA} FROM ${quoted(name)}`);
    for (const [table, rights] of Object.entries(WRITER_RIGHTS)) {
      const granted = [
        ...(name === writer ? [rights] : []),
        ...(name === gates ? [GATES_RIGHTS[table as keyof typeof GATES_RIGHTS] ?? []] : []),
        ...(name === reader ? ['SELECT'] : []),
      ].flat();
      for (const right of tables.has(table) ? granted : []) {
        await run(`GRANT ${right} ON ${LEDGER_SCHEMA}.${table} TO ${quoted(name)}`);
      }
    }
  }
  const lock = `FUNCTION ${LEDGER_SCHEMA}.lock_gate(text)`;
  for (const name of new Set([writer, gates])) {
    if (hasLockGate && name !== owner) await run(`GRANT EXECUTE ON ${lock} TO ${quoted(name)}`);
  }
  const call = `FUNCTION ${LEDGER_SCHEMA}.ensure_metrics_day(date)`;
  if (tables.has('metrics_samples') && writer !== owner) await run(`GRANT EXECUTE ON ${call} TO ${quoted(writer)}`);
}

function nameIn(url: string): string {
  return decodeURIComponent(new URL(url).username);
}

function loginAttributes(url: string): string {
  const password = decodeURIComponent(new URL(url).password);
  return `LOGIN PASSWORD '${scramVerifier(password)}'`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What PostgreSQL stores of a password (RFC 5803), so that the password is in no statement and no log. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
