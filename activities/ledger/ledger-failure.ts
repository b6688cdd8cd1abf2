import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode, messageOf } from '../../platform/error-code.ts';

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
