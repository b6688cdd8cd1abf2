import { createHmac } from 'node:crypto';
import { knowSecrets } from '../../domain/shared/known-secrets.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';

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
