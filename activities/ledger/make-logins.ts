import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { withPostgres } from '../../platform/postgres-client.ts';
import type { LedgerLogins } from './logins.ts';
import type { LedgerTransaction } from './open-ledger.ts';
import { GATES_RIGHTS, LEDGER_SCHEMA, WRITER_RIGHTS } from './tables.ts';

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
