import { ledgerFailure } from '../../activities/ledger/ledger-failure.ts';
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

/** The ledger with the login that records decisions; null when there is none. Throws `StackFailed`, `InvalidConfiguration`. */
export async function findGatesLogin(context: Place): Promise<string | null> {
  return lesserLogin('gates', await ownerUrl(context), context.env);
}

/** The ledger with the login that records decisions. Throws `ServerUnavailable`, `StackFailed`, `InvalidConfiguration`. */
export async function gatesLogin(context: Place): Promise<string> {
  const url = await findGatesLogin(context);
  if (url === null) throw noDatabase('DATABASE_GATES_URL or DATABASE_URL');
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

/** Runs `work` on a ledger, and names the failures of the database. */
export async function namingLedgerFailures<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw ledgerFailure(error, url);
  }
}
