import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { createIndexStore } from '../../../activities/index/store/store.ts';
import { connectWeaviate, type IndexClient } from '../../../activities/index/store/weaviate.ts';
import { type FlowHandle, startFlow } from '../../../client/core/start-flow.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { startStack, type Stack } from '../../../stack/stack.ts';
import { readState } from '../../../stack/state.ts';
import { createEstate, type Estate, type Files } from '../../support/estate.ts';
import { openEstate } from '../../support/catalog/flows.ts';
import { dumpIndex, faultsOf, type IndexDump } from '../../support/catalog/index-dump.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { replayAll } from '../../support/replay.ts';
import { openRelay } from '../../support/stalling-relay.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { mockActivity } from '../../support/mock-activity.ts';

const ID = 'local/acme/big';

/** Enough that a server can be killed in the middle. */
const MANY: Files = Object.fromEntries(
  Array.from({ length: 1_200 }, (_, at) => [`src/${at}.ts`, `export const value${at} = ${at};\n`]),
);

let folder: string;
let stack: Stack;
let connection: Connection;
let client: Client;
let weaviate: IndexClient;
let estate: Estate;
let undisturbed: Estate;
let digest: string;
let expected: IndexDump;

// separate servers, so that those of other tests are not killed
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-servers-'));
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const { cacheDir } = inject('stack');
  stack = await startStack({ dataDir: join(folder, 'data'), cacheDir, env, needs: ['temporal', 'weaviate'] });
  connection = await Connection.connect({ address: stack.temporal.address });
  client = new Client({ connection });
  weaviate = await connectWeaviate(stack.weaviate);
  undisturbed = await createEstate();
  const tools = await openEstate(undisturbed);
  const shared = await connectWeaviate(inject('stack').weaviate);
  try {
    await undisturbed.create('acme/big', MANY);
    const repository = { id: ID, cloneUrl: undisturbed.gitDir('acme/big') };
    await mockActivity().run(createCatalogActivities(tools).indexRepository, { repository });
    ({ digest } = tools.analyzer);
    expected = await dumpIndex(shared, tools.store);
  } finally {
    await tools.close();
    await shared.close();
  }
});

afterAll(async () => {
  await connection.close();
  await weaviate.close();
  await stack.stop();
  await undisturbed.dispose();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  estate = await createEstate();
  await estate.create('acme/big', MANY);
});

afterEach(() => estate.dispose());

type ServerName = 'temporal' | 'weaviate';

test.for<readonly [string, readonly ServerName[]]>([
  ['Weaviate', ['weaviate']],
  ['Temporal', ['temporal']],
  ['Weaviate and Temporal', ['weaviate', 'temporal']],
])('%s killed in the middle of an ingestion: it waits and continues', async ([, names]) => {
  const worker = await startWorkerProcess(estate, { env: environment() });
  try {
    const flow = await startFlow(client, 'onboardRepositories', { patterns: ['acme/big'] });
    const store = createIndexStore(weaviate, estate.indexName, digest);
    await expect.poll(() => store.count(ID), { interval: 10 }).toBeGreaterThan(0);
    const before = new Map(names.map((name) => [name, pidOf(name)]));
    for (const pid of before.values()) process.kill(pid, 'SIGKILL');
    await expectFinished(flow);
    for (const [name, pid] of before) expect(pidOf(name)).not.toBe(pid);
  } finally {
    await worker.kill();
  }
});

test('a connection to Weaviate that stalls and breaks causes a retry', async () => {
  const relay = await openRelay(stack.weaviate.grpc);
  const worker = await startWorkerProcess(estate, { env: environment({ WEAVIATE_GRPC: relay.address }) });
  try {
    const flow = await startFlow(client, 'onboardRepositories', { patterns: ['acme/big'] });
    const before = relay.sent;
    await expect.poll(() => relay.sent - before, { interval: 5 }).toBeGreaterThan(200_000);
    relay.stall();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await flow.describe()).status.name).toBe('RUNNING');
    relay.breakOff();
    await expectFinished(flow);
  } finally {
    await worker.kill();
    await relay.close();
  }
});

/** The flow succeeds, and the index equals that of an undisturbed run. */
async function expectFinished(flow: FlowHandle<'onboardRepositories'>): Promise<void> {
  expect(await resultOf(flow)).toMatchObject({ matched: 1, succeeded: 1, failed: 0, failures: [] });
  // a new connection, because that one was broken
  const again = await connectWeaviate(stack.weaviate);
  const store = createIndexStore(again, estate.indexName, digest);
  const found = await dumpIndex(again, store);
  const listed: string[] = [];
  for await (const entries of store.inventory(ID)) listed.push(...entries.map(({ id }) => id));
  await again.close();
  expect(listed.sort(), 'what filters find').toEqual(Object.keys(expected.objects).sort());
  expect(faultsOf(found)).toEqual([]);
  expect(Object.keys(found.objects)).toHaveLength(Object.keys(MANY).length);
  expect(found).toEqual(expected);
  const runs = await collectRuns(client, [[flow.workflowId, flow.firstExecutionRunId]]);
  await replayAll(runs, inject('stack').workflowBundle);
}

/** Waits for a result across restarts of the server. */
async function resultOf(flow: FlowHandle<'onboardRepositories'>): Promise<CatalogFleetResult> {
  const end = await vi.waitFor(
    () =>
      flow.result().then(
        (result) => ({ result }),
        (error: unknown) => {
          if (isGrpcServiceError(error)) throw error;
          return { error };
        },
      ),
    { timeout: 240_000 },
  );
  if ('error' in end) throw end.error;
  return end.result;
}

function pidOf(name: ServerName): number {
  const child = readState(stack.dataDir).children.find((each) => each.name === name);
  if (!child) throw new Error(`${name} does not run`);
  return child.pid;
}

function environment(change: Record<string, string> = {}): Record<string, string> {
  const { url, grpc, apiKey } = stack.weaviate;
  return {
    TEMPORAL_ADDRESS: stack.temporal.address,
    TEMPORAL_NAMESPACE: stack.temporal.namespace,
    WEAVIATE_URL: url,
    WEAVIATE_GRPC: grpc,
    WEAVIATE_API_KEY: apiKey ?? '',
    ...change,
  };
}
