import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { OnboardInput } from '../../../domain/catalog/flows/flows.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { startStack, type Stack } from '../../../stack/stack.ts';
import { flowsWorker } from '../../../workers/roles.ts';
import { commandEnv, longhaul, longhaulProcess } from '../../support/command.ts';
import { type EmbeddingEndpoint, startEmbeddingEndpoint } from '../../support/embedding-endpoint.ts';
import { createEstate, type Estate, type Files } from '../../support/estate.ts';
import { sourceOf } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

const KEY = 'sk-nobody-but-the-endpoint-reads-this';
/**
 * A module that uses an OpenAI-compatible endpoint, and unlike text2vec-openai needs no tokenizer from the Internet.
 */
const MODULE = 'text2vec-morph';
const BATCH = 8;

const FILES: Files = Object.fromEntries(
  readdirSync(new URL('../../../domain/catalog/', import.meta.url), { recursive: true, encoding: 'utf8' })
    .toSorted()
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`domain/catalog/${name}`, sourceOf(`domain/catalog/${name}`)]),
);

let folder: string;
let stack: Stack;
let endpoint: EmbeddingEndpoint;
let connection: Connection;
/** Starts flows for the worker processes, and outlives them. */
let flows: { readonly worker: Worker; readonly done: Promise<void>; readonly connection: NativeConnection };

beforeAll(async () => {
  const { temporalAddress, modelFolder, cacheDir } = inject('stack');
  folder = await mkdtemp(join(tmpdir(), 'longhaul-models-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WEAVIATE_')));
  [stack, endpoint, connection] = await Promise.all([
    startStack({ dataDir: join(folder, 'data'), cacheDir, env, needs: ['weaviate'], weaviate: { modules: [MODULE] } }),
    startEmbeddingEndpoint({ folder: modelFolder, cacheDir }, KEY),
    Connection.connect({ address: temporalAddress }),
  ]);
  const native = await NativeConnection.connect({ address: temporalAddress });
  const bundle = { codePath: inject('stack').workflowBundle };
  const worker = await Worker.create(flowsWorker({ connection: native, namespace: NAMESPACE }, bundle));
  flows = { worker, done: worker.run(), connection: native };
});
afterAll(async () => {
  flows.worker.shutdown();
  await flows.done;
  await Promise.all([flows.connection.close(), stack.stop(), endpoint.close(), connection.close()]);
  await rm(folder, { recursive: true, force: true });
});

const served = { budget: { concurrency: 1 }, batch: { inputs: BATCH }, apiKeyEnv: 'EMBEDDING_KEY' };
const models = (): Record<string, object> => ({
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

/** An estate that uses one of these models, and the environment of its processes. */
async function createModelEstate(model: string): Promise<{ estate: Estate; change: Record<string, string> }> {
  const estate = await createEstate();
  const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as { index: object };
  await writeFile(
    estate.configPath,
    JSON.stringify({ ...config, models: models(), index: { ...config.index, model } }),
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

describe.for(['endpoint', 'module'])('a fleet that is embedded by %s', (model) => {
  let estate: Estate;
  let change: Record<string, string>;
  let worker: WorkerProcess | undefined;
  let logs = '';
  const started = new Map<string, string>();
  const client = (): Client => new Client({ connection, namespace: NAMESPACE });

  beforeAll(async () => {
    ({ estate, change } = await createModelEstate(model));
    await estate.create('acme/catalog', FILES);
    endpoint.requests.length = 0;
  });
  afterAll(async () => {
    await worker?.stop();
    await estate.dispose();
  });

  async function run(
    flow: 'onboardRepositories' | 'removeRepositories',
    input: OnboardInput = { patterns: ['*/*'] },
  ): Promise<() => Promise<CatalogFleetResult>> {
    const handle = await startFlow(client(), flow, input);
    started.set(handle.workflowId, handle.firstExecutionRunId ?? '');
    return () => handle.result();
  }

  test('killed in the middle, requests only the rest', async () => {
    const held: { free: () => void } = { free: () => undefined };
    // the probe, then whole requests, of which the fourth gets no answer
    endpoint.misbehave = (number) =>
      number === 4 ? new Promise((resolve) => (held.free = () => resolve(null))) : null;
    const first = await startWorkerProcess(estate, { env: change, args: ['--roles', 'repos'] });
    await run('onboardRepositories');
    await expect.poll(() => endpoint.requests.length).toBe(4);
    await first.kill();
    logs += first.log();
    held.free();
    endpoint.misbehave = null;
    // without waiting until Temporal misses the heartbeats
    for (const id of [...started.keys(), 'sync/local/acme/catalog']) await client().workflow.getHandle(id).terminate();
    worker = await startWorkerProcess(estate, { env: change, args: ['--roles', 'repos'] });
    const result = await run('onboardRepositories');
    expect(await result()).toMatchObject({ matched: 1, succeeded: 1, failed: 0 });
    const [, ...requests] = endpoint.requests.map(({ inputs }) => inputs);
    const texts = requests.flat();
    const twice = texts.filter((text, at) => texts.indexOf(text) !== at);
    expect(requests[0]).toHaveLength(BATCH);
    expect(texts.length).toBeGreaterThan(5 * BATCH);
    expect(requests[2]).toEqual(expect.arrayContaining(twice));
  });

  test('finds by meaning', async () => {
    const before = endpoint.requests.length;
    const env = commandEnv(estate, change);
    const { stdout } = await longhaul(env, ['search', 'how often is an error worth another try', '--json']);
    const { results } = JSON.parse(stdout) as { results: { path: string; repo: string }[] };
    expect(results.length).toBeGreaterThan(3);
    expect(results[0]).toMatchObject({ repo: 'local/acme/catalog' });
    expect(endpoint.requests.slice(before).map(({ inputs }) => inputs)).toEqual([
      ['how often is an error worth another try'],
    ]);
  });

  test('when removed and indexed again, nothing is embedded', async () => {
    const before = endpoint.requests.length;
    expect(await (await run('removeRepositories'))()).toMatchObject({ succeeded: 1 });
    expect(await (await run('onboardRepositories'))()).toMatchObject({ succeeded: 1, failed: 0 });
    expect(endpoint.requests.length).toBe(before);
  });

  test('a new commit embeds what is new', async () => {
    const before = endpoint.requests.length;
    await estate.commit('acme/catalog', { 'new.ts': 'export const somethingNew = true;\n' });
    const synced = await longhaul(commandEnv(estate, change), ['sync', '--all', '--json']);
    expect(JSON.parse(synced.stdout)).toMatchObject({ succeeded: 1, failed: 0 });
    expect(endpoint.requests.slice(before).map(({ inputs }) => inputs.length)).toEqual([1]);
  });

  test('a refused key is reported, and so is a missing one', async () => {
    const env = commandEnv(estate, { ...change, EMBEDDING_KEY: 'sk-not-the-right-one' });
    const refused = await longhaul(env, ['search', 'a key that is wrong']);
    expect(refused).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('EMBEDDING_KEY') as string });
    expect(`${refused.stdout}${refused.stderr}`).not.toContain('sk-not');
    const missing = await longhaul(commandEnv(estate, { ...change, EMBEDDING_KEY: undefined }), ['search', 'x']);
    expect(missing).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`models.${model}.apiKeyEnv names EMBEDDING_KEY, which is not set`) as string,
    });
  });

  test('the key is only sent to the endpoint, and nothing is left in the scratch collection', async () => {
    await worker?.stop();
    logs += worker?.log() ?? '';
    const runs = await collectRuns(client(), started);
    const histories = JSON.stringify(runs, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    const weaviate = await connectWeaviate(stack.weaviate);
    const collections = await weaviate.collections.listAll();
    const scratch = collections.map(({ name }) => name).filter((name) => name.startsWith(`${estate.indexName}Embed`));
    expect(scratch).toHaveLength(model === 'module' ? 1 : 0);
    for (const name of scratch) expect(await weaviate.collections.use(name).length()).toBe(0);
    await weaviate.close();
    const serverLog = readFileSync(join(stack.logDir, 'weaviate.log'), 'utf8');
    expect(histories).toContain('acme/catalog');
    for (const text of [histories, logs, serverLog, JSON.stringify(collections)]) expect(text).not.toContain(KEY);
    expect(new Set(endpoint.requests.map(({ authorization }) => authorization))).toContain(`Bearer ${KEY}`);
  });
});

test('a module that Weaviate lacks is reported before anything starts', async () => {
  const { estate, change } = await createModelEstate('stranger');
  const { exitCode, stdout, stderr } = await longhaulProcess(commandEnv(estate, change), [
    'worker',
    '--roles',
    'repos',
  ]);
  expect(exitCode).toBe(2);
  expect(stdout + stderr).toMatch(/does not have the module text2vec-cohere: enable it there/);
  await estate.dispose();
});
