import { readFileSync } from 'node:fs';
import { Client, Connection, type WorkflowClientInterceptor } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { expect, inject, test as base } from 'vitest';
import { loadConfig } from '../../../activities/shared/config.ts';
import type { IndexTools } from '../../../activities/catalog/catalog.ts';
import { createFollowActivities } from '../../../activities/catalog/follow.ts';
import { reposWork } from '../../../activities/catalog/repos-role.ts';
import { openTools, type OpenTools } from '../../../activities/catalog/tools.ts';
import { NO_OBJECTS, xorIds } from '../../../domain/catalog/index/receipt.ts';
import { activityWorker, flowsWorker, type WorkerPlace } from '../../../workers/roles.ts';
import { createEstate, type Estate } from '../estate.ts';
import { NAMESPACE } from '../namespace.ts';
import '../quiet-runtime.ts';
import { collectRuns, type RecordedRun } from '../recorded-runs.ts';
import { replayAll } from '../replay.ts';
import { openSharedAnalyzer } from './shared-analyzer.ts';

/** A client that records the runs that it started. */
export interface TestClient {
  readonly client: Client;
  /** Workflow ids and run ids. */
  readonly started: [string, string][];
}

/** The tools of an estate and those of its live build. */
export type EstateTools = OpenTools & IndexTools;

/** The fixtures of a test of flows. */
export interface FlowsFixture extends TestClient {
  readonly estate: Estate;
  readonly tools: EstateTools;
}

/**
 * The real tests: each gets its own estate, index and worker of the role `repos`. The worker of the role
 * `flows` needs no estate: a file has one. All runs that the tests of a file started are replayed at its end.
 */
export const test = base
  .extend('connections', { scope: 'file' }, async ({}, { onCleanup }) => {
    const address = inject('stack').temporalAddress;
    const [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    onCleanup(async () => {
      await connection.close();
      await native.close();
    });
    return { connection, native };
  })
  .extend('maxCachedWorkflows', { scope: 'file' }, async (): Promise<number> => 50)
  // the worker of a test finds its server here, and the test starts its flows here
  .extend(
    'place',
    { scope: 'file' },
    async ({ connections, maxCachedWorkflows }, { onCleanup }): Promise<WorkerPlace> => {
      const place = { connection: connections.native, namespace: NAMESPACE };
      const bundle = { codePath: inject('stack').workflowBundle };
      const work = { activities: createFollowActivities() };
      onCleanup(await run(flowsWorker(place, bundle, { work, maxCachedWorkflows })));
      return place;
    },
  )
  .extend('runs', { scope: 'file' }, async ({}, { onCleanup }): Promise<RecordedRun[]> => {
    const runs: RecordedRun[] = [];
    onCleanup(async () => {
      if (runs.length > 0) await replayAll(runs, inject('stack').workflowBundle);
    });
    return runs;
  })
  .extend('providers', async (): Promise<((root: string) => Promise<object[]>) | undefined> => undefined)
  .extend('flows', async ({ connections, place, runs, providers }, { onCleanup }): Promise<FlowsFixture> => {
    const estate = await createEstate({ providers });
    const started = [] as [string, string][];
    const record: WorkflowClientInterceptor = {
      async start(input, next) {
        const runId = await next(input);
        started.push([input.options.workflowId, runId]);
        return runId;
      },
      async signalWithStart(input, next) {
        const runId = await next(input);
        started.push([input.options.workflowId, runId]);
        return runId;
      },
    };
    const client = new Client({
      connection: connections.connection,
      namespace: NAMESPACE,
      interceptors: { workflow: [record] },
    });
    const tools = await openEstate(estate);
    const stop = await run({ ...activityWorker(place, 'repos', reposWork(tools)), shutdownGraceTime: '1 second' });
    onCleanup(async () => {
      try {
        runs.push(...(await collectRuns(client, started)));
      } finally {
        for (const [id] of started)
          await client.workflow
            .getHandle(id)
            .terminate()
            .catch(() => undefined);
        // remaining tasks would start in the workers of other tests
        for await (const { scheduleId } of client.schedule.list()) {
          if (scheduleId.includes(estate.indexName)) await client.schedule.getHandle(scheduleId).delete();
        }
        await stop();
        await tools.close();
        await estate.dispose();
      }
    });
    return { estate, tools, client, started };
  });

/** The tools for an estate's configuration, with the shared servers and, unless it is given, the shared cache. */
export async function openEstate(estate: Estate, cacheDir: string = inject('stack').cacheDir): Promise<EstateTools> {
  const { weaviate, modelFolder } = inject('stack');
  const env = { ...process.env, LONGHAUL_CACHE_DIR: cacheDir, LONGHAUL_DATA_DIR: estate.dataDir };
  const loaded = loadConfig({ path: estate.configPath, env });
  const tools = await openTools(loaded, { weaviate, modelFolder }, env, { openAnalyzer: openSharedAnalyzer });
  return { ...(await tools.index()), ...tools };
}

/** Runs a worker in this process; the function stops it. */
async function run(options: WorkerOptions): Promise<() => Promise<void>> {
  const worker = await Worker.create(options);
  const done = worker.run();
  return async () => {
    worker.shutdown();
    await done;
  };
}

/** Every object id of a repository, sorted. */
export async function objectIdsOf({ store }: EstateTools, repository: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of store.inventory(repository)) ids.push(...page.map(({ id }) => id));
  return ids.sort();
}

/** Checks that Weaviate has exactly the objects of the receipt. */
export async function expectReceiptTrue(tools: EstateTools, repository: string, commit: string): Promise<void> {
  const receipt = await tools.store.readReceipt(repository);
  const ids = await objectIdsOf(tools, repository);
  expect(receipt).toMatchObject({ commit, objects: ids.length, xor: ids.reduce(xorIds, NO_OBJECTS), pending: null });
}

/** The text of a source file of this project, to index something real. */
export function sourceOf(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}
