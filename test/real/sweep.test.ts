import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { WeaviateClient } from 'weaviate-client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createIndexStore, type IndexStore } from '../../activities/index/store.ts';
import { connectWeaviate } from '../../activities/index/weaviate.ts';
import { loadConfig } from '../../activities/config.ts';
import { openAnalyzer } from '../../activities/tools.ts';
import { startFlow } from '../../client/flows.ts';
import type { FleetResult } from '../../domain/catalog/flows.ts';
import { registerSearchAttributes } from '../../stack/search-attributes.ts';
import { type Boundary, type DoomedWorker, startDoomedWorker } from '../support/doomed-process.ts';
import { type Forge, startForge } from '../support/forge.ts';
import { dumpIndex, faultsOf, type IndexDump } from '../support/index-dump.ts';
import { collectRuns, replayAll } from '../support/replay.ts';
import { type FleetState, makeSmallFleet, setFleet } from '../support/small-fleet.ts';

/** What happens to an index, each part as an operator starts it. */
const STAGES = ['onboard', 'sync', 'remove'] as const;
type Stage = (typeof STAGES)[number];

const FLEET_BEFORE: Record<Stage, FleetState> = { onboard: 'early', sync: 'late', remove: 'late' };

/** Scenarios that run at the same time: a dead worker is waited for, which costs time but no processor. */
const LANES = Number(process.env['SWEEP_LANES'] ?? 6);

/** One index, its repositories and its namespace: what a scenario has for itself. */
interface Lane {
  readonly folder: string;
  readonly root: string;
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly forge: Forge;
  readonly client: Client;
  readonly started: Map<string, string>;
  readonly store: IndexStore;
  worker: DoomedWorker;
}

let folder: string;
let bundle: string;
let connection: Connection;
let weaviate: WeaviateClient;
let digest: string;

beforeAll(async () => {
  const stack = inject('stack');
  folder = await mkdtemp(join(tmpdir(), 'longhaul-sweep-'));
  bundle = join(folder, 'impatient-flows.js');
  makeSmallFleet(join(folder, 'fleet'));
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    workflowInterceptorModules: [fileURLToPath(new URL('../support/impatient-flows.ts', import.meta.url))],
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(bundle, code);
  connection = await Connection.connect({ address: stack.temporalAddress });
  weaviate = await connectWeaviate(stack.weaviate);
  const { config } = loadConfig({ env: {} });
  const analyzer = await openAnalyzer({ config, cacheDir: stack.cacheDir }, stack.modelFolder);
  ({ digest } = analyzer);
  await analyzer.close();
});

afterAll(async () => {
  await connection.close();
  await weaviate.close();
  await rm(folder, { recursive: true, force: true });
});

test('a worker killed at any boundary leaves nothing that the next one does not mend', { timeout: 900_000 }, async () => {
  const reference = await openLane('reference');
  const expected = new Map<Stage, IndexDump>();
  const boundaries = new Map<Stage, Boundary[]>();
  try {
    await reference.worker.arm(null);
    for (const stage of STAGES) {
      await reference.worker.arm(null);
      console.time(stage);
      await runStage(reference, stage);
      console.timeEnd(stage);
      const dump = await dumpIndex(weaviate, reference.store);
      expect(faultsOf(dump)).toEqual([]);
      expected.set(stage, dump);
      const { passed } = await reference.worker.report();
      boundaries.set(
        stage,
        Object.entries(passed).flatMap(([kind, times]) => Array.from({ length: times }, (_, at) => ({ kind, nth: at + 1 }))),
      );
    }
  } finally {
    await closeLane(reference);
  }
  for (const [stage, list] of boundaries) process.stderr.write(`${stage}: ${list.length} ${JSON.stringify(list.filter((b, i) => list[i+1]?.kind !== b.kind).map((b) => `${b.kind} ${b.nth}`))}\n`);
});

async function openLane(name: string): Promise<Lane> {
  const stack = inject('stack');
  const namespace = `sweep-${name}`;
  const own = join(folder, name);
  const [root, cacheDir, dataDir, scratch] = ['fleet', 'cache', 'data', 'scratch'].map((part) => join(own, part)) as [string, string, string, string];
  await cp(join(folder, 'fleet'), root, { recursive: true });
  for (const made of [cacheDir, scratch]) await mkdir(made);
  for (const shared of ['models', 'digests']) await symlink(join(stack.cacheDir, shared), join(cacheDir, shared));
  const forge = await startForge(join(root, 'forge'));
  const configPath = join(own, 'longhaul.yaml');
  const index = { name: `Sweep${name.replaceAll(/[^a-z0-9]/g, '')}` };
  const providers = [
    { name: 'local', type: 'local', root: join(root, 'local') },
    { name: 'forge', type: 'github', url: forge.url },
  ];
  await writeFile(configPath, JSON.stringify({ providers, index, dataDir, cacheDir }));
  console.time('ns');await openNamespace(namespace);console.timeEnd('ns');
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    TMPDIR: scratch,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    WEAVIATE_URL: stack.weaviate.url,
    WEAVIATE_GRPC: stack.weaviate.grpc,
    WEAVIATE_API_KEY: stack.weaviate.apiKey ?? '',
    LONGHAUL_CONFIG: configPath,
    LONGHAUL_MODEL_DIR: stack.modelFolder,
    DOOMED_BUNDLE: bundle,
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
  };
  const started = new Map<string, string>();
  const client = new Client({
    connection,
    namespace,
    interceptors: {
      workflow: [
        {
          async start(input, next) {
            const runId = await next({ ...input, options: { ...input.options, workflowTaskTimeout: 5_000 } });
            started.set(input.options.workflowId, runId);
            return runId;
          },
        },
      ],
    },
  });
  console.time('worker');const worker = await startDoomedWorker(env);console.timeEnd('worker');
  const store = createIndexStore(weaviate, index.name, digest);
  return { folder: own, root, cacheDir, env, forge, client, started, store, worker };
}

async function closeLane({ worker, forge }: Lane): Promise<void> {
  await worker.kill();
  await forge.close();
}

async function openNamespace(namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await expect
    .poll(() => registerSearchAttributes(connection, namespace).then(() => 'open', (error: unknown) => String(error)))
    .toBe('open');
}

async function runStage(lane: Lane, stage: Stage): Promise<FleetResult> {
  setFleet(lane.root, FLEET_BEFORE[stage]);
  return (await startStage(lane, stage)).result();
}

function startStage({ client }: Lane, stage: Stage) {
  switch (stage) {
    case 'onboard':
      return startFlow(client, 'onboardRepositories', { patterns: ['acme/*'], parallel: 2 });
    case 'sync':
      return startFlow(client, 'syncRepositories', { all: true, parallel: 2 });
    case 'remove':
      return startFlow(client, 'removeRepositories', { patterns: ['acme/parser'] });
  }
}
void [DatabaseSync, readdir, readFile, collectRuns, replayAll];
