import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import type { IndexTools } from '../activities/catalog/catalog.ts';
import { loadConfig } from '../activities/shared/config.ts';
import { ANALYSIS_CACHE } from '../activities/index/analysis/analyzer.ts';
import { openTools, type OpenTools } from '../activities/catalog/tools.ts';
import { poll } from '../stack/child.ts';
import { STACK_MARK } from '../stack/leftovers.ts';
import { startStack } from '../stack/stack.ts';
import type { Stack } from '../stack/stack.ts';
import type { Need } from '../stack/options.ts';
import type { BenchContext } from './harness.ts';

const WORKER = fileURLToPath(new URL('../workers/main.ts', import.meta.url));

/** Starts servers with empty data in the benchmark's folder. Fetched servers and models come from the user's cache. */
export async function startServers({ dir, signal, note }: BenchContext, needs: readonly Need[]): Promise<Stack> {
  const { cacheDir, config } = loadConfig({ env: process.env });
  return startStack({
    dataDir: join(dir, 'data'),
    cacheDir,
    env: process.env,
    modelPath: config.index.modelPath,
    needs,
    signal,
    onProgress: ({ about, message, passing }) => {
      if (!passing) note(`${about}: ${message}`);
    },
  });
}

/** An empty cache folder for mirrors and embeddings. */
export async function emptyCache(dir: string, name: string): Promise<string> {
  const cacheDir = join(dir, name);
  await mkdir(cacheDir, { recursive: true });
  return cacheDir;
}

/** An {@link emptyCache} with models, so that a worker need not distil one first. */
export async function cacheWithModels(dir: string): Promise<string> {
  const cacheDir = await emptyCache(dir, 'worker-cache');
  const models = join(modelCache(), 'models');
  await mkdir(models, { recursive: true });
  await symlink(models, join(cacheDir, 'models'));
  return cacheDir;
}

/** Deletes all embeddings and chunk counts of this cache. */
export function forgetEmbeddings(cacheDir: string): void {
  const file = join(cacheDir, ANALYSIS_CACHE);
  if (!existsSync(file)) return;
  const cache = new DatabaseSync(file, { timeout: 10_000 });
  cache.exec('DELETE FROM vectors; DELETE FROM counts');
  cache.close();
}

/** The user's model cache. */
export function modelCache(): string {
  return loadConfig({ env: process.env }).cacheDir;
}

/** A worker's repositories, and the settings for them. */
export interface WorkerSources {
  /** As in `longhaul.yaml`. */
  readonly providers: readonly object[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running worker and its client. */
export interface BenchWorker {
  readonly client: Client;
  /** Its cache folder. */
  readonly cacheDir: string;
  /** Opens its tools in this process; close them. */
  readonly openTools: () => Promise<OpenTools & IndexTools>;
  readonly close: () => Promise<void>;
}

/** The provider `local`: repositories below a folder. */
export function localSource(root: string): WorkerSources {
  return { providers: [{ name: 'local', type: 'local', root }] };
}

/** Starts a real worker for the servers, and returns a client for starting flows. */
export async function startWorker(
  stack: Stack,
  { providers, env: more = {} }: WorkerSources,
  { dir, signal }: BenchContext,
): Promise<BenchWorker> {
  const config = join(dir, 'longhaul.yaml');
  await writeFile(config, stringify({ providers }));
  const cacheDir = await cacheWithModels(dir);
  const { apiKey } = stack.weaviate;
  const env = {
    ...process.env,
    ...more,
    [STACK_MARK]: stack.dataDir,
    TEMPORAL_ADDRESS: stack.temporal.address,
    TEMPORAL_NAMESPACE: stack.temporal.namespace,
    WEAVIATE_URL: stack.weaviate.url,
    WEAVIATE_GRPC: stack.weaviate.grpc,
    ...(apiKey === null ? {} : { WEAVIATE_API_KEY: apiKey }),
    LONGHAUL_MODEL_DIR: stack.model.folder,
    LONGHAUL_CACHE_DIR: cacheDir,
    LONGHAUL_DATA_DIR: stack.dataDir,
    LONGHAUL_CONFIG: config,
  };
  await stack.supervise({
    name: 'worker',
    command: process.execPath,
    args: [WORKER],
    env,
    logFile: join(stack.logDir, 'worker.log'),
    readyTimeout: 120_000,
    stopTimeout: 30_000,
    ready: async (ended, logged) => {
      await poll(() => (logged().includes('"event":"worker_ready"') ? true : null), ended);
    },
  });
  signal.throwIfAborted();
  const connection = await Connection.connect({ address: stack.temporal.address });
  return {
    client: new Client({ connection, namespace: stack.temporal.namespace }),
    cacheDir,
    openTools: async () => {
      const places = { weaviate: { ...stack.weaviate, apiKey: apiKey ?? undefined }, modelFolder: stack.model.folder };
      const tools = await openTools(loadConfig({ path: config, env }), places, env);
      return { ...(await tools.index()), ...tools };
    },
    close: () => connection.close(),
  };
}
