import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { describe, expect } from 'vitest';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { OnboardInput } from '../../../domain/catalog/flows/flows.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { BATCH, createModelEstate, FILES, KEY, modelTest as test } from '../../support/catalog/model-estate.ts';
import { commandEnv, longhaul, longhaulProcess } from '../../support/command.ts';
import type { Estate } from '../../support/estate.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

/** Enough for a few requests; `durable/catalog/models` embeds all files. */
const SOME = Object.fromEntries(Object.entries(FILES).slice(0, 12));

describe.for(['endpoint', 'module'])('a fleet that is embedded by %s', (model) => {
  let estate: Estate;
  let change: Record<string, string>;
  let worker: WorkerProcess | undefined;
  let logs = '';
  const started = new Map<string, string>();

  test.beforeAll(async ({ modelPlace }) => {
    ({ estate, change } = await createModelEstate(modelPlace, model));
    await estate.create('acme/catalog', SOME);
    modelPlace.endpoint.requests.length = 0;
  });
  test.afterAll(async () => {
    await worker?.stop();
    await estate.dispose();
  });

  async function run(
    client: Client,
    flow: 'onboardRepositories' | 'removeRepositories',
    input: OnboardInput = { patterns: ['*/*'] },
  ): Promise<() => Promise<CatalogFleetResult>> {
    const handle = await startFlow(client, flow, input);
    started.set(handle.workflowId, handle.firstExecutionRunId ?? '');
    return () => handle.result();
  }

  test('every text is embedded once, in whole requests', async ({ modelPlace: { endpoint, client } }) => {
    worker = await startWorkerProcess(estate, { env: change, args: ['--roles', 'repos'] });
    const result = await run(client, 'onboardRepositories');
    expect(await result()).toMatchObject({ matched: 1, succeeded: 1, failed: 0 });
    const [probe, ...requests] = endpoint.requests.map(({ inputs }) => inputs);
    expect(probe).toHaveLength(1);
    expect(requests[0]).toHaveLength(BATCH);
    const texts = requests.flat();
    expect(texts.length).toBeGreaterThan(2 * BATCH);
    expect(new Set(texts).size).toBe(texts.length);
  });

  test('finds by meaning', async ({ modelPlace: { endpoint } }) => {
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

  test('when removed and indexed again, nothing is embedded', async ({ modelPlace: { endpoint, client } }) => {
    const before = endpoint.requests.length;
    expect(await (await run(client, 'removeRepositories'))()).toMatchObject({ succeeded: 1 });
    expect(await (await run(client, 'onboardRepositories'))()).toMatchObject({ succeeded: 1, failed: 0 });
    expect(endpoint.requests.length).toBe(before);
  });

  test('a new commit embeds what is new', async ({ modelPlace: { endpoint } }) => {
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

  test('the key is only sent to the endpoint, and nothing is left in the scratch collection', async ({
    modelPlace: { stack, endpoint, client },
  }) => {
    await worker?.stop();
    logs += worker?.log() ?? '';
    const runs = await collectRuns(client, started);
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

test('a module that Weaviate lacks is reported before anything starts', async ({ modelPlace }) => {
  const { estate, change } = await createModelEstate(modelPlace, 'stranger');
  const { exitCode, stdout, stderr } = await longhaulProcess(commandEnv(estate, change), [
    'worker',
    '--roles',
    'repos',
  ]);
  expect(exitCode).toBe(2);
  expect(stdout + stderr).toMatch(/does not have the module text2vec-cohere: enable it there/);
  await estate.dispose();
});
