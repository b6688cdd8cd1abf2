import { expect, onTestFinished } from 'vitest';
import { startFlow } from '../../../client/core/start-flow.ts';
import { BATCH, createModelEstate, FILES, modelTest as test } from '../../support/catalog/model-estate.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

test.for(['endpoint', 'module'])(
  'a worker that embeds by %s and is killed in the middle: the next one requests only the rest',
  // the first one also starts the servers
  { timeout: 600_000 },
  async (model, { modelPlace }) => {
    const { endpoint, client } = modelPlace;
    const { estate, change } = await createModelEstate(modelPlace, model);
    onTestFinished(() => estate.dispose());
    await estate.create('acme/catalog', FILES);
    endpoint.requests.length = 0;
    const held: { free: () => void } = { free: () => undefined };
    // the probe, then whole requests, of which the fourth gets no answer
    endpoint.misbehave = (number) =>
      number === 4 ? new Promise((resolve) => (held.free = () => resolve(null))) : null;
    const first = await startWorkerProcess(estate, { env: change, args: ['--roles', 'repos'] });
    const { workflowId } = await startFlow(client, 'onboardRepositories', { patterns: ['*/*'] });
    await expect.poll(() => endpoint.requests.length).toBe(4);
    await first.kill();
    held.free();
    endpoint.misbehave = null;
    // without waiting until Temporal misses the heartbeats
    for (const id of [workflowId, 'sync/local/acme/catalog']) await client.workflow.getHandle(id).terminate();
    const second = await startWorkerProcess(estate, { env: change, args: ['--roles', 'repos'] });
    onTestFinished(() => second.stop());
    const run = await startFlow(client, 'onboardRepositories', { patterns: ['*/*'] });
    expect(await run.result()).toMatchObject({ matched: 1, succeeded: 1, failed: 0 });
    const [, ...requests] = endpoint.requests.map(({ inputs }) => inputs);
    const texts = requests.flat();
    const twice = texts.filter((text, at) => texts.indexOf(text) !== at);
    expect(requests[0]).toHaveLength(BATCH);
    expect(texts.length).toBeGreaterThan(5 * BATCH);
    expect(requests[2]).toEqual(expect.arrayContaining(twice));
  },
);
