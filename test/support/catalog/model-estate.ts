import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { inject, test } from 'vitest';
import { startStack, type Stack } from '../../../stack/stack.ts';
import { flowsWorker } from '../../../workers/roles.ts';
import { type EmbeddingEndpoint, startEmbeddingEndpoint } from '../embedding-endpoint.ts';
import { createEstate, type Estate, type Files } from '../estate.ts';
import { NAMESPACE } from '../namespace.ts';
import { sourceOf } from './flows.ts';

/** The key of the endpoint. */
export const KEY = 'sk-only-the-endpoint-reads-this';
/**
 * A module that uses an OpenAI-compatible endpoint, and unlike text2vec-openai needs no tokenizer from the Internet.
 */
const MODULE = 'text2vec-morph';
/** Texts in each request. */
export const BATCH = 8;

/** Files with more texts than five requests hold. */
export const FILES: Files = Object.fromEntries(
  readdirSync(new URL('../../../domain/catalog/', import.meta.url), { recursive: true, encoding: 'utf8' })
    .toSorted()
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`domain/catalog/${name}`, sourceOf(`domain/catalog/${name}`)]),
);

/** Servers for models that an endpoint serves. */
export interface ModelPlace {
  readonly folder: string;
  /** A Weaviate with the module. */
  readonly stack: Stack;
  readonly endpoint: EmbeddingEndpoint;
  readonly client: Client;
}

const served = { budget: { concurrency: 1 }, batch: { inputs: BATCH }, apiKeyEnv: 'EMBEDDING_KEY' };
const models = (endpoint: EmbeddingEndpoint): Record<string, object> => ({
  endpoint: { type: 'openai', url: `${endpoint.origin}/v1`, model: 'minilm', ...served },
  module: {
    type: 'weaviate',
    module: MODULE,
    options: { baseURL: endpoint.origin, model: 'minilm' },
    apiKeyHeader: 'X-OpenAI-Api-Key',
    ...served,
  },
  stranger: { type: 'weaviate', module: 'text2vec-cohere', ...served, apiKeyHeader: 'X-Cohere-Api-Key' },
});

/** The tests of a file share a Weaviate, an endpoint, and a worker that runs the flows, for worker processes of repositories. */
export const modelTest = test.extend(
  'modelPlace',
  { scope: 'file' },
  async ({}, { onCleanup }): Promise<ModelPlace> => {
    const { temporalAddress, modelFolder, cacheDir } = inject('stack');
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-models-'));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WEAVIATE_')));
    const [stack, endpoint, connection, native] = await Promise.all([
      startStack({
        dataDir: join(folder, 'data'),
        cacheDir,
        env,
        needs: ['weaviate'],
        weaviate: { modules: [MODULE] },
      }),
      startEmbeddingEndpoint({ folder: modelFolder, cacheDir }, KEY),
      Connection.connect({ address: temporalAddress }),
      NativeConnection.connect({ address: temporalAddress }),
    ]);
    const bundle = { codePath: inject('stack').workflowBundle };
    const worker = await Worker.create(flowsWorker({ connection: native, namespace: NAMESPACE }, bundle));
    const done = worker.run();
    onCleanup(async () => {
      worker.shutdown();
      await done;
      await Promise.all([native.close(), stack.stop(), endpoint.close(), connection.close()]);
      await rm(folder, { recursive: true, force: true });
    });
    return { folder, stack, endpoint, client: new Client({ connection, namespace: NAMESPACE }) };
  },
);

/** An estate that uses one of these models, and what its processes need in their environment. */
export async function createModelEstate(
  { folder, stack, endpoint }: ModelPlace,
  model: string,
): Promise<{ estate: Estate; change: Record<string, string> }> {
  const estate = await createEstate();
  const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as { index: object };
  await writeFile(
    estate.configPath,
    JSON.stringify({ ...config, models: models(endpoint), index: { ...config.index, model } }),
  );
  const { url, grpc, apiKey } = stack.weaviate;
  return {
    estate,
    change: {
      WEAVIATE_URL: url,
      WEAVIATE_GRPC: grpc,
      WEAVIATE_API_KEY: apiKey ?? '',
      // no vectors of other runs are cached here
      LONGHAUL_CACHE_DIR: join(folder, `cache-${estate.indexName}`),
      EMBEDDING_KEY: KEY,
    },
  };
}
