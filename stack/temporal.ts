import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import type { ChildSpec } from './child.ts';
import { poll } from './child.ts';
import { fetchTemporal, PINNED_TEMPORAL } from './fetch-temporal.ts';
import { findOnPath, runProgram } from '../platform/program.ts';
import { findCached } from './server-cache.ts';
import type { FetchOptions } from './server-cache.ts';
import { messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';
import type { ServerSource } from './state.ts';
import type { TemporalTarget } from './temporal-connection.ts';

/** An executable server. */
export interface ServerProgram {
  readonly command: string;
  readonly source: Exclude<ServerSource, 'yours'>;
  /** The version that it reports; null when it reports none before it runs. */
  readonly version: string | null;
}

/** The `temporal` program: installed on PATH, or already fetched; null when there is none. */
export async function findTemporal(cacheDir: string, env: NodeJS.ProcessEnv): Promise<ServerProgram | null> {
  const installed = await findOnPath('temporal', env);
  if (installed !== null) {
    const result = await runProgram(installed, ['--version'], { env, timeoutMs: 20_000 });
    const version = /temporal version (\S+)/.exec(result.stdout)?.[1];
    if (result.code === 0 && version !== undefined) return { command: installed, source: 'installed', version };
  }
  const cached = await findCached(PINNED_TEMPORAL, cacheDir);
  return cached === null ? null : { command: cached, source: 'fetched', version: PINNED_TEMPORAL.version };
}

/** The `temporal` program, fetched if needed. Throws {@link StackError}. */
export async function obtainTemporal(options: FetchOptions): Promise<ServerProgram> {
  const found = await findTemporal(options.cacheDir, options.env);
  if (found !== null) return found;
  return { command: await fetchTemporal(options), source: 'fetched', version: PINNED_TEMPORAL.version };
}

/**
 * Without the first, fairness keys are ignored (priorities are not); without the second, a queue has four partitions
 * that each order tasks by themselves. Without the third, the server hands out at most 20 tasks a second of all flows that
 * wait for each other. docker-compose.yml sets the same.
 */
const DYNAMIC = [
  'matching.enableFairness=true',
  'matching.numTaskqueueWritePartitions=1',
  'history.transferProcessorMaxPollRPS=1000',
];

/** Every commit is on the disk before it is acknowledged, as without these, with a third less work for the disk. */
const DATABASE = ['journal_mode=WAL', 'synchronous=FULL'];

/** How to run the server: everything on loopback, state in one SQLite file. */
export function temporalChild(options: {
  command: string;
  dataDir: string;
  logFile: string;
  env: NodeJS.ProcessEnv;
  port: number;
  uiPort: number;
  namespace: string;
  /** `debug`, `info`, `warn` or `error`. */
  logLevel: string;
  /** More arguments for `temporal server start-dev`. */
  extraArgs: readonly string[];
}): ChildSpec {
  const flags = {
    '--ip': '127.0.0.1',
    '--port': String(options.port),
    '--ui-port': String(options.uiPort),
    '--db-filename': join(options.dataDir, 'temporal.db'),
    '--namespace': options.namespace,
    '--log-level': options.logLevel,
    '--log-format': 'json',
  };
  const target: TemporalTarget = {
    connectionOptions: { address: `127.0.0.1:${options.port}` },
    namespace: options.namespace,
  };
  return {
    name: 'temporal',
    command: options.command,
    args: [
      'server',
      'start-dev',
      ...Object.entries(flags).flat(),
      '--ui-disable-news-fetch',
      ...DYNAMIC.flatMap((value) => ['--dynamic-config-value', value]),
      ...DATABASE.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...options.extraArgs,
    ],
    env: options.env,
    logFile: options.logFile,
    readyTimeout: 60_000,
    stopTimeout: 10_000,
    ready: async (signal) => {
      await poll(async () => ((await answers(target)) ? true : null), signal);
    },
  };
}

async function answers(target: TemporalTarget): Promise<boolean> {
  try {
    await withTemporal(target, (connection) =>
      connection.workflowService.describeNamespace({ namespace: target.namespace }),
    );
    return true;
  } catch {
    return false;
  }
}

/** Connects, calls `use`, and closes the connection. Throws {@link StackError} when no server answers within 5 s. */
export async function withTemporal<T>(target: TemporalTarget, use: (connection: Connection) => Promise<T>): Promise<T> {
  const { Connection } = await import('@temporalio/client');
  const { address } = target.connectionOptions;
  const connection = await Connection.connect({ ...target.connectionOptions, connectTimeout: 5000 }).catch(
    (error: unknown) => {
      throw new StackError(`No Temporal server answers at ${address}: start it or correct the address.`, {
        cause: error,
      });
    },
  );
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** The version of the connected server. Throws {@link StackError} when the namespace does not exist. */
export async function temporalVersion(connection: Connection, namespace: string): Promise<string> {
  await connection.workflowService.describeNamespace({ namespace }).catch((error: unknown) => {
    throw new StackError(
      `The Temporal namespace ${namespace} cannot be used: ${messageOf(error)}. Create or correct it.`,
      {
        cause: error,
      },
    );
  });
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  return serverVersion;
}
