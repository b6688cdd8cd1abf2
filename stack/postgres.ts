import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { chown, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Client } from 'pg';
import { hasCode, messageOf } from '../platform/error-code.ts';
import { withPostgres } from '../platform/postgres-client.ts';
import { type Account, runProgram } from '../platform/program.ts';
import type { ChildSpec } from './child.ts';
import { poll } from './child.ts';
import { LEDGER } from './postgres-connection.ts';
import { StackError } from './stack-error.ts';

/** The superuser of the embedded server. It only creates the database and its owner. */
const SUPERUSER = 'postgres';
/** Where a database is, without its login. */
export function placeOfDatabase(url: string): { readonly address: string; readonly database: string } {
  const { hostname, port, pathname } = new URL(url);
  return { address: `${hostname}:${port === '' ? 5432 : port}`, database: decodeURIComponent(pathname.slice(1)) };
}

/** The version of a database's server. Throws {@link StackError} when it does not answer or refuses the login. */
export async function databaseVersion(url: string): Promise<string> {
  const { address, database } = placeOfDatabase(url);
  try {
    return await withPostgres(url, versionOf);
  } catch (error) {
    if (hasCode(error, '28P01', '28000')) {
      throw new StackError(`PostgreSQL at ${address} refuses the login (${messageOf(error)}): set a valid one.`, {
        cause: error,
      });
    }
    throw new StackError(
      `The database ${database} at ${address} does not answer (${messageOf(error) || 'no connection'}): start it or correct the address.`,
      { cause: error },
    );
  }
}

async function versionOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  return rows[0]?.server_version ?? 'unknown';
}

/** The embedded server and its files. */
export interface EmbeddedPostgres {
  /** The `postgres` program; `initdb` is next to it. */
  readonly program: string;
  /** The folder of the stack: data in `postgres/`. */
  readonly dataDir: string;
  readonly logFile: string;
  readonly port: number;
  /** Password of the superuser. */
  readonly password: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Prepares the data folder at the first start, and says how to run the server: on 127.0.0.1 only, with a password. As
 * root it runs as the system user `postgres`, which is created if it is missing, because PostgreSQL refuses root.
 * Throws {@link StackError}.
 */
export async function preparePostgres(options: EmbeddedPostgres, signal: AbortSignal): Promise<ChildSpec> {
  const account = await serverAccount(options.env);
  const folder = join(options.dataDir, 'postgres');
  if (!existsSync(folder)) await initialize(options, account, folder, signal);
  const { port, password, env, logFile } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // a failed statement in the log could contain what a person typed
    log_min_error_statement: 'panic',
  };
  return {
    name: 'postgres',
    command: options.program,
    args: [
      '-D',
      seenFrom(folder, account),
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    env,
    cwd: folder,
    ...(account === null ? {} : { account }),
    logFile,
    readyTimeout: 120_000,
    // SIGTERM would wait for the clients to leave
    stopSignal: 'SIGINT',
    stopTimeout: 20_000,
    ready: async (waiting) => {
      const url = superuserUrl(port, password);
      await poll(async () => ((await answers(url)) ? true : null), waiting);
    },
    beforeStart: () => removeForeignPid(folder),
  };
}

/** Creates the database and the login that owns it, or sets its password. Idempotent. */
export async function createLedgerDatabase(
  { port, password }: Pick<EmbeddedPostgres, 'port' | 'password'>,
  ownerPassword: string,
): Promise<void> {
  await withPostgres(superuserUrl(port, password), async (client) => {
    const exists = async (sql: string): Promise<boolean> => (await client.query(sql, [LEDGER])).rows.length > 0;
    const known = await exists('SELECT FROM pg_roles WHERE rolname = $1');
    const login = `${LEDGER} LOGIN CREATEROLE PASSWORD ${client.escapeLiteral(ownerPassword)}`;
    await client.query(`${known ? 'ALTER' : 'CREATE'} ROLE ${login}`);
    if (await exists('SELECT FROM pg_database WHERE datname = $1')) return;
    await client.query(`CREATE DATABASE ${LEDGER} OWNER ${LEDGER}`);
  });
}

function superuserUrl(port: number, password: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
}

async function answers(url: string): Promise<boolean> {
  try {
    await withPostgres(url, versionOf);
    return true;
  } catch {
    return false;
  }
}

/** A folder as the server names it. Another user could not enter the folders above it, but its working folder is open. */
function seenFrom(folder: string, account: Account | null): string {
  return account !== null && process.platform === 'linux' ? '/proc/self/cwd' : folder;
}

/** Makes the data folder under another name first: it gets its own when it is complete. */
async function initialize(
  { program, password, env }: EmbeddedPostgres,
  account: Account | null,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const making = `${folder}.making`;
  const data = join(making, 'data');
  const passwordFile = join(making, 'password');
  await rm(making, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== null) {
    for (const path of [making, passwordFile, data]) await chown(path, account.uid, account.gid);
  }
  const seen = seenFrom(data, account);
  const made = await runProgram(
    join(dirname(program), 'initdb'),
    [
      `--pgdata=${seen}`,
      `--pwfile=${seen}/../password`,
      `--username=${SUPERUSER}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
      '--lc-messages=C',
    ],
    { cwd: data, env, signal, ...(account === null ? {} : { account }) },
  );
  if (made.code !== 0) {
    throw new StackError(
      `PostgreSQL could not create its files in ${folder}: ${made.stderr.trim().split('\n').join(' ')}`,
    );
  }
  renameSync(data, folder);
  rmSync(making, { recursive: true });
}

/**
 * Removes the pid file of a data folder when it names a process of another program. The system may have given the number
 * of a killed server to it, as in a container that was started again, and the server would then refuse to start.
 */
export function removeForeignPid(folder: string): void {
  const file = join(folder, 'postmaster.pid');
  try {
    const pid = readFileSync(file, 'utf8').split('\n', 1)[0] ?? '';
    if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'postgres') rmSync(file);
  } catch (error) {
    // no file, no such process or no /proc: the server finds out itself
    if (!hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) throw error;
  }
}

/** The user that the server runs as when this process is root's; null for the user of this process. */
async function serverAccount(env: NodeJS.ProcessEnv): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const known = await accountOf(SUPERUSER, env);
  if (known !== null) return known;
  const created = await runProgram(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', SUPERUSER],
    { env },
  ).catch(() => null);
  const account = created?.code === 0 ? await accountOf(SUPERUSER, env) : null;
  if (account !== null) return account;
  throw new StackError(
    `PostgreSQL does not run as root, and the system user ${SUPERUSER} could not be created: ` +
      'create it, run Longhaul as another user, or set DATABASE_URL to the address of a database.',
  );
}

async function accountOf(name: string, env: NodeJS.ProcessEnv): Promise<Account | null> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => runProgram('id', [flag, name], { env })));
  if (uid?.code !== 0 || gid?.code !== 0) return null;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}
