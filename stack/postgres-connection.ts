import { StackError } from './stack-error.ts';

/** The database of the embedded server, and the login that owns it. */
export const LEDGER = 'longhaul';

/** The user's own database; null when the environment sets none. Throws {@link StackError} for a wrong address. */
export function yourDatabase(env: NodeJS.ProcessEnv): string | null {
  const url = env['DATABASE_URL'];
  if (url === undefined || url === '') return null;
  const parsed = URL.parse(url);
  if (parsed === null || !['postgres:', 'postgresql:'].includes(parsed.protocol) || parsed.pathname.length < 2) {
    throw new StackError(
      'DATABASE_URL is not the URL of a database: give it as postgres://user:password@host:port/name.',
    );
  }
  return url;
}

/** The address of the embedded database with the login of its owner. */
export function embeddedDatabase(address: string, password: string): string {
  return `postgres://${LEDGER}:${password}@${address}/${LEDGER}`;
}
