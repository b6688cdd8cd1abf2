import { readdirSync, readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startFlow } from '../../client/flows.ts';
import type { FleetResult } from '../../domain/catalog/flows.ts';
import { NO_OBJECTS, xorIds } from '../../domain/catalog/receipt.ts';
import { createEstate, type Estate, type Files } from '../support/estate.ts';
import { objectIdsOf, openEstate, type EstateTools } from '../support/flows.ts';
import { collectRuns, replayAll } from '../support/replay.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

/** Real sources, enough of them that a worker can be caught in the middle. */
function sources(packageFolder: string, limit: number, from = 0): Files {
  const folder = new URL(`../../node_modules/${packageFolder}/`, import.meta.url);
  const names = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => /\.(ts|js|mjs|cjs)$/.test(name) && !name.includes('node_modules') && !name.includes('.min.'))
    .sort()
    .slice(from, from + limit);
  return Object.fromEntries(names.map((name) => [`src/${name}`, readFileSync(new URL(name, folder), 'utf8')]));
}

const REPOSITORIES = ['acme/core', 'acme/worker', 'other/client'] as const;

describe('a worker that is killed', () => {
  let connection: Connection;
  let client: Client;
  beforeAll(async () => {
    connection = await Connection.connect({ address: inject('stack').temporalAddress });
    client = new Client({ connection });
  });
  afterAll(() => connection.close());

  async function fill(estate: Estate): Promise<void> {
    await estate.create('acme/core', sources('rxjs', 250));
    await estate.create('acme/worker', sources('@temporalio/worker', 120));
    await estate.create('other/client', sources('weaviate-client/dist/node/esm', 120));
  }

  async function change(estate: Estate): Promise<void> {
    const replaced = Object.fromEntries(Object.keys(sources('rxjs', 60)).map((path) => [path, null]));
    await estate.commit('acme/core', { ...replaced, ...sources('rxjs', 150, 250) });
    await estate.commit('acme/worker', { ...sources('@temporalio/client', 120) });
  }

  /** Runs a flow while the worker is killed as soon as the index has moved; a second worker then finishes it. */
  async function killedMidway(
    estate: Estate,
    tools: EstateTools,
    start: () => Promise<{ workflowId: string; firstExecutionRunId?: string; result(): Promise<FleetResult> }>,
  ): Promise<{ result: FleetResult; killedAt: number }> {
    const first = await startWorkerProcess(estate);
    const before = await totalObjects(tools);
    const flow = await start();
    await expect.poll(() => totalObjects(tools), { interval: 20, timeout: 60_000 }).not.toBe(before);
    await first.kill();
    const killedAt = await totalObjects(tools);
    const second = await startWorkerProcess(estate);
    try {
      return { result: await flow.result(), killedAt };
    } finally {
      await second.stop();
    }
  }

  async function totalObjects({ store }: EstateTools): Promise<number> {
    const counts = await Promise.all(REPOSITORIES.map((name) => store.count(`local/${name}`)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function snapshot(tools: EstateTools): Promise<Record<string, string[]>> {
    const entries = REPOSITORIES.map(async (name) => [name, await objectIdsOf(tools, `local/${name}`)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }

  async function expectReceiptsTrue(tools: EstateTools): Promise<void> {
    for (const name of REPOSITORIES) {
      const ids = await objectIdsOf(tools, `local/${name}`);
      expect(await tools.store.readReceipt(`local/${name}`)).toMatchObject({
        objects: ids.length,
        xor: ids.reduce(xorIds, NO_OBJECTS),
        pending: null,
      });
    }
  }

  test(
    'in an onboarding and in a sync: both complete, with the objects of an undisturbed run',
    { timeout: 300_000 },
    async () => {
      const [disturbed, undisturbed] = [await createEstate(), await createEstate()];
      const [tools, reference] = [await openEstate(disturbed), await openEstate(undisturbed)];
      try {
        for (const estate of [disturbed, undisturbed]) await fill(estate);
        const started = new Map<string, string>();
        const onboarding = await killedMidway(disturbed, tools, async () => {
          const flow = await startFlow(client, 'onboardRepositories', { patterns: ['*/*'] });
          started.set(flow.workflowId, flow.firstExecutionRunId ?? '');
          return flow;
        });
        expect(onboarding.result).toMatchObject({ matched: 3, succeeded: 3, failed: 0 });
        const worker = await startWorkerProcess(undisturbed);
        await (await startFlow(client, 'onboardRepositories', { patterns: ['*/*'] })).result();
        expect(await snapshot(tools)).toEqual(await snapshot(reference));
        expect(onboarding.killedAt).toBeLessThan(await totalObjects(tools));
        await expectReceiptsTrue(tools);

        for (const estate of [disturbed, undisturbed]) await change(estate);
        await (await startFlow(client, 'syncRepositories', { all: true })).result();
        await worker.stop();
        const sync = await killedMidway(disturbed, tools, async () => {
          const flow = await startFlow(client, 'syncRepositories', { all: true });
          started.set(flow.workflowId, flow.firstExecutionRunId ?? '');
          return flow;
        });
        expect(sync.result).toMatchObject({ matched: 3, succeeded: 2, skipped: 1, failed: 0 });
        expect(await snapshot(tools)).toEqual(await snapshot(reference));
        await expectReceiptsTrue(tools);
        await replayAll(await collectRuns(client, started), inject('stack').workflowBundle);
      } finally {
        await tools.close();
        await reference.close();
        await disturbed.dispose();
        await undisturbed.dispose();
      }
    },
  );
});
