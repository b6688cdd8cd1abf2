import { lesserLogin, type LedgerLogins, ledgerLogins } from '../../activities/ledger/logins.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { yourDatabase } from '../../stack/postgres-connection.ts';
import { findRunningStack } from '../../stack/running-stack.ts';
import type { CliContext } from './context.ts';
import { namingStackFailures } from './stack-failure.ts';

/** What of a context says where the ledger is. */
type Place = Pick<CliContext, 'dataDir' | 'env'>;

/** The ledger's logins. Throws `ServerUnavailable`, `StackFailed`, `InvalidConfiguration`. */
export async function ownersLogins(context: Place): Promise<LedgerLogins> {
  const owner = await ownerUrl(context);
  if (owner === null) throw noDatabase('DATABASE_URL');
  return ledgerLogins(owner, context.env);
}

/** The ledger with the login that only reads. Throws `ServerUnavailable`, `StackFailed`, `InvalidConfiguration`. */
export async function readersLogin(context: Place): Promise<string> {
  const url = lesserLogin('reader', await ownerUrl(context), context.env);
  if (url === null) throw noDatabase('DATABASE_READER_URL or DATABASE_URL');
  return url;
}

/** The database of the environment, or that of the running stack; null when there is none. */
function ownerUrl({ dataDir, env }: Place): Promise<string | null> {
  return namingStackFailures(async () => yourDatabase(env) ?? findRunningStack(dataDir)?.databaseUrl ?? null);
}

function noDatabase(variables: string): LonghaulError {
  return new LonghaulError(
    'ServerUnavailable',
    `No PostgreSQL is configured and no stack is running: run \`longhaul up\`, or set ${variables}.`,
  );
}
