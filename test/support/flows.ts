import { readFileSync } from 'node:fs';
import { Client, Connection, type WorkflowClientInterceptor } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { test as base, inject } from 'vitest';
import { loadConfig } from '../../activities/config.ts';
import type { IndexTools } from '../../activities/catalog.ts';
import { openTools, type OpenTools } from '../../activities/tools.ts';
import { flowsWorker, reposWorker } from '../../workers/roles.ts';
import { createEstate, type Estate } from './estate.ts';
import './quiet-runtime.ts';
import { collectRuns, replayAll } from './replay.ts';

/** A client that remembers what it started. */
export interface TestClient {
  readonly client: Client;
  /** Workflow ids and run ids. */
  readonly started: [string, string][];
}

/** The tools of an estate and those of its live build. */
export type EstateTools = OpenTools & IndexTools;

/** What a test of flows works with. */
export interface FlowsFixture extends TestClient {
  readonly estate: Estate;
  readonly tools: EstateTools;
}

/** The real tests: each gets an estate and an index of its own, workers on the real queues, and a replay at its end. */
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
  .extend('maxCachedWorkflows', async (): Promise<number> => 50)
  .extend('providers', async (): Promise<((root: string) => Promise<object[]>) | undefined> => undefined)
  .extend('flows', async ({ connections, maxCachedWorkflows, providers }, { onCleanup }): Promise<FlowsFixture> => {
    const { workflowBundle } = inject('stack');
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
    const client = new Client({ connection: connections.connection, interceptors: { workflow: [record] } });
    const tools = await openEstate(estate);
    const stop = await runWorkers(connections.native, tools, maxCachedWorkflows);
    onCleanup(async () => {
      try {
        if (started.length > 0) await replayAll(await collectRuns(client, started), workflowBundle);
      } finally {
        for (const [id] of started)
          await client.workflow
            .getHandle(id)
            .terminate()
            .catch(() => undefined);
        await stop();
        await tools.close();
        await estate.dispose();
      }
    });
    return { estate, tools, client, started };
  });

/** Everything that an estate's configuration leads to, against the shared servers. */
export async function openEstate(estate: Estate): Promise<EstateTools> {
  const { weaviate, modelFolder, cacheDir } = inject('stack');
  const env = { ...process.env, LONGHAUL_CACHE_DIR: cacheDir, LONGHAUL_DATA_DIR: estate.dataDir };
  const loaded = loadConfig({ path: estate.configPath, env });
  const tools = await openTools(loaded, { weaviate, modelFolder }, env);
  return { ...(await tools.index()), ...tools };
}

/** Both roles in this process; the function stops them. */
export async function runWorkers(
  connection: NativeConnection,
  tools: OpenTools,
  maxCachedWorkflows: number,
): Promise<() => Promise<void>> {
  const place = { connection, namespace: 'default' };
  const bundle = { codePath: inject('stack').workflowBundle };
  const workers = await Promise.all([
    Worker.create(flowsWorker(place, bundle, maxCachedWorkflows)),
    Worker.create({ ...reposWorker(place, tools), shutdownGraceTime: '1 second' }),
  ]);
  const running = workers.map((worker) => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  };
}

/** Every object id of a repository, sorted. */
export async function objectIdsOf({ store }: EstateTools, repository: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of store.inventory(repository)) ids.push(...page.map(({ id }) => id));
  return ids.sort();
}

/** The text of a source file of this project, to index something real. */
export function sourceOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
