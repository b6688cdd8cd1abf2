import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { poll, superviseChild } from './child.ts';
import type { ChildSpec } from './child.ts';
import { choosePorts } from './ports.ts';
import { ensureSecret } from './secret.ts';
import { serverEnvironment } from './server-environment.ts';

/** A PostgreSQL server that answers on loopback. */
export interface Postgres {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: 'longhaul';
  readonly password: string;
  readonly database: 'postgres';
  /** Stops it; its data stays. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL from the npm package: state in `<dataDir>/postgres`, a random password stored next to it. As
 * root, it runs as the system user `postgres`, which is created if missing and must be able to enter `dataDir`. `port`
 * 0 takes a free one. Throws {@link StackError} when it does not start.
 */
export async function startPostgres(options: {
  dataDir: string;
  port: number;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}): Promise<Postgres> {
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const password = ensureSecret(join(dataDir, 'postgres.key'));
  const { port } = await choosePorts([{ name: 'port', configured: options.port, key: 'the port of PostgreSQL' }], {});
  if (port === undefined) throw new Error('no port was chosen for PostgreSQL');
  const child = await superviseChild(postgresChild({ ...options, dataDir, port, password }), {
    onStart: () => undefined,
    onProgress: () => undefined,
    signal: options.signal,
  });
  return {
    host: '127.0.0.1',
    port,
    user: 'longhaul',
    password,
    database: 'postgres',
    stop: () => child.stop(),
  };
}

/** How to run it: in a separate process, because the package handles the signals of the process that loads it. */
function postgresChild(options: {
  dataDir: string;
  port: number;
  password: string;
  env: NodeJS.ProcessEnv;
}): ChildSpec {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return {
    name: 'postgres',
    command: process.execPath,
    args: [fileURLToPath(new URL(`./postgres-process.${extension}`, import.meta.url))],
    env: {
      ...serverEnvironment(options.env, options.dataDir),
      LONGHAUL_POSTGRES_DIR: join(options.dataDir, 'postgres'),
      LONGHAUL_POSTGRES_PORT: String(options.port),
      LONGHAUL_POSTGRES_PASSWORD: options.password,
    },
    logFile: join(options.dataDir, 'logs', 'postgres.log'),
    readyTimeout: 60_000,
    stopTimeout: 15_000,
    ready: async (signal, logged) => {
      await poll(() => (logged().includes('"event":"postgres_ready"') ? true : null), signal);
    },
  };
}
