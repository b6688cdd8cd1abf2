import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createIndexStore, type IndexStore } from '../../../activities/index/store/store.ts';
import { connectWeaviate, type IndexClient } from '../../../activities/index/store/weaviate.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { openAnalyzer } from '../../../activities/catalog/open-index.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import {
  type Boundary,
  boundariesOf,
  type DoomedWorker,
  inTime,
  startDoomedWorker,
} from '../../support/doomed-process.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { impatientBundle, impatientStarts, openNamespace } from '../../support/impatient.ts';
import { dumpIndex, faultsOf, type IndexDump } from '../../support/catalog/index-dump.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { replayAll } from '../../support/replay.ts';
import { type FleetState, makeSmallFleet, setFleet } from '../../support/small-fleet.ts';

/** The stages of an index's life, each started as by an operator. */
const STAGES = ['onboard', 'sync', 'branch', 'remove'] as const;
type Stage = (typeof STAGES)[number];

const FLEET_BEFORE: Record<Stage, FleetState> = {
  onboard: 'early',
  sync: 'late',
  branch: 'late',
  remove: 'late',
};

const GROUP = {
  name: 'sweep',
  description: '',
  schedule: '0 3 * * *',
  timezone: 'UTC',
  jitterSeconds: 0,
  patterns: ['acme/*'],
  exclude: [],
  parallel: 2,
  priority: 3,
  paused: false,
};

/** Scenarios that run in parallel: the detection of a dead worker takes a while, but no processor time. */
const LANES = 5;
/** Where the workers of one scenario are killed: at most once per stage. */
type Scenario = Partial<Record<Stage, Boundary>>;

/** The resources of a scenario: repositories, an index, folders, a namespace, and the current worker. */
interface Lane {
  readonly root: string;
  readonly scratch: string;
  readonly cacheDir: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly forge: Forge;
  readonly client: Client;
  readonly started: [string, string][];
  readonly store: IndexStore;
  worker: DoomedWorker;
}

let folder: string;
let bundle: string;
let connection: Connection;
let weaviate: IndexClient;
let digest: string;
const lanes: Lane[] = [];

beforeAll(async () => {
  const stack = inject('stack');
  folder = await mkdtemp(join(tmpdir(), 'longhaul-sweep-'));
  makeSmallFleet(join(folder, 'fleet'));
  bundle = await impatientBundle(folder);
  connection = await Connection.connect({ address: stack.temporalAddress });
  weaviate = await connectWeaviate(stack.weaviate);
  const { config } = loadConfig({ env: {} });
  const analyzer = await openAnalyzer({ config, cacheDir: stack.cacheDir }, stack, {});
  ({ digest } = analyzer);
  await analyzer.close();
});

afterAll(async () => {
  await Promise.all(lanes.map(({ worker, forge }) => Promise.all([worker.kill(), forge.close()])));
  await connection.close();
  await weaviate.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test('the next worker repairs everything that a killed worker leaves', { timeout: 7_200_000 }, async () => {
  const expected = {} as Record<Stage, IndexDump>;
  const boundaries = {} as Record<Stage, Boundary[]>;
  const reference = await openLane('reference');
  for (const stage of STAGES) {
    await reference.worker.arm(null);
    await (await startStage(reference, stage)).result();
    expected[stage] = await dumpIndex(weaviate, reference.store);
    expect(faultsOf(expected[stage])).toEqual([]);
    boundaries[stage] = boundariesOf(await reference.worker.report());
  }
  await expectMovedFar(expected);
  const every = STAGES.reduce((sum, stage) => sum + boundaries[stage].length, 0);
  const chosen = process.env['FULL_SWEEP'] === '1' ? boundaries : sampleOf(boundaries);
  const scenarios = scenariosOf(chosen);

  const failures: string[] = [];
  let survived = 0;
  const work = async (lane: Lane): Promise<void> => {
    for (let scenario = scenarios.shift(); scenario; scenario = scenarios.shift()) {
      await reset(lane);
      for (const stage of STAGES) {
        const doom = scenario[stage];
        const later = STAGES.slice(STAGES.indexOf(stage)).some((each) => scenario[each] !== undefined);
        if (!later) break;
        try {
          await inTime(runStage(lane, stage, doom ?? null, expected[stage]));
          if (doom) survived++;
        } catch (error) {
          const failure = `${stage}, ${doom?.kind} ${doom?.nth}: ${error instanceof Error ? error.message : String(error)}`;
          failures.push(failure);
          process.stderr.write(`${failure}\n`);
          await abandon(lane);
          break;
        }
      }
    }
  };
  const others = Array.from({ length: LANES - 1 }, (_, at) => openLane(`lane${at}`).then(work));
  await Promise.all([work(reference), ...others]);

  const asked = STAGES.reduce((sum, stage) => sum + chosen[stage].length, 0);
  process.stderr.write(`kill sweep: ${survived} of ${asked}${asked < every ? ` (FULL_SWEEP=1: of ${every})` : ''}\n`);
  expect(failures).toEqual([]);
  for (const lane of lanes)
    await replayAll(await collectRuns(lane.client, lane.started), inject('stack').workflowBundle);
});

/** Runs a stage whose worker is killed, lets another worker finish it, and checks the result. */
async function runStage(lane: Lane, stage: Stage, doom: Boundary | null, expected: IndexDump): Promise<void> {
  await lane.worker.arm(doom);
  const flow = await startStage(lane, stage);
  const done = flow.result();
  done.catch(() => undefined);
  let vectors: number | null = null;
  if (doom) {
    const first = await Promise.race([lane.worker.ended, done.then(() => null)]);
    if (first !== 'SIGKILL')
      throw new Error(first === null ? 'it was never reached' : `the worker ended with ${first}`);
    vectors = countVectors(lane);
    lane.worker = await startDoomedWorker(lane.env);
  }
  expect(await done).toMatchObject({ failed: 0, failures: [] });
  const dump = await dumpIndex(weaviate, lane.store);
  expect(faultsOf(dump)).toEqual([]);
  expect(dump).toEqual(expected);
  const { embedded } = await lane.worker.report();
  const again = vectors === null ? 0 : embedded - (countVectors(lane) - vectors);
  expect(again, 'texts embedded although their vectors were stored').toBe(0);
  await expect.poll(() => programsOf(lane), { timeout: 10_000 }).toEqual([]);
  expect(await leftoversOf(lane)).toEqual([]);
}

function startStage({ client, root }: Lane, stage: Stage) {
  setFleet(root, FLEET_BEFORE[stage]);
  switch (stage) {
    case 'onboard':
      return startFlow(client, 'onboardRepositories', { patterns: ['acme/*'], parallel: 2 });
    case 'sync':
      return startFlow(client, 'syncRepositories', { all: true, parallel: 2 });
    case 'branch':
      return startFlow(client, 'syncGroup', { ...GROUP, branches: ['side'] });
    case 'remove':
      return startFlow(client, 'removeRepositories', { patterns: ['acme/operators'] });
  }
}

/** Every stage changes the index, so that a kill in it matters. */
async function expectMovedFar(dumps: Record<Stage, IndexDump>): Promise<void> {
  const [early, late, both, rest] = STAGES.map((stage) => new Set(Object.keys(dumps[stage].objects)));
  if (!early || !late || !both || !rest) throw new Error('a stage has no dump');
  expect(early.size).toBeGreaterThan(100);
  expect(late.difference(early).size).toBeGreaterThan(5);
  expect(early.difference(late).size).toBeGreaterThan(5);
  expect(both).toEqual(early.union(late));
  expect(rest.size).toBeLessThan(both.size);
}

/** One boundary of every kind, spread over the stages, early and late; the same ones in every run. */
function sampleOf(boundaries: Record<Stage, readonly Boundary[]>): Record<Stage, Boundary[]> {
  const chosen: Record<Stage, Boundary[]> = { onboard: [], sync: [], branch: [], remove: [] };
  const kinds = new Set(STAGES.flatMap((stage) => boundaries[stage].map(({ kind }) => kind)));
  for (const [at, kind] of [...kinds].entries()) {
    const stages = STAGES.filter((stage) => boundaries[stage].some((boundary) => boundary.kind === kind));
    const stage = stages[at % stages.length] ?? 'onboard';
    const candidates = boundaries[stage].filter((boundary) => boundary.kind === kind);
    const boundary = candidates[(at * 3) % candidates.length];
    if (boundary) chosen[stage].push(boundary);
  }
  return chosen;
}

/**
 * The fewest scenarios that cover every boundary: the result of each stage is checked, so the next one starts from a
 * correct state.
 */
function scenariosOf(boundaries: Record<Stage, readonly Boundary[]>): Scenario[] {
  const most = Math.max(...STAGES.map((stage) => boundaries[stage].length));
  return Array.from({ length: most }, (_, at) => {
    const dooms = STAGES.flatMap((stage) => {
      const doom = boundaries[stage][at];
      return doom ? [[stage, doom] as const] : [];
    });
    return Object.fromEntries(dooms);
  });
}

async function openLane(name: string): Promise<Lane> {
  const stack = inject('stack');
  const namespace = `sweep-${name}`;
  const at = (part: string): string => join(folder, name, part);
  const [root, cacheDir, dataDir, scratch] = [at('fleet'), at('cache'), at('data'), at('scratch')];
  await cp(join(folder, 'fleet'), root, { recursive: true });
  for (const made of [cacheDir, scratch]) await mkdir(made);
  for (const shared of ['models', 'digests']) await symlink(join(stack.cacheDir, shared), join(cacheDir, shared));
  const forge = await startForge(join(root, 'forge'));
  const index = { name: `Sweep${name}` };
  const providers = [
    { name: 'local', type: 'local', root: join(root, 'local') },
    { name: 'forge', type: 'github', url: forge.url },
  ];
  await writeFile(at('longhaul.yaml'), JSON.stringify({ providers, index, dataDir, cacheDir }));
  await openNamespace(connection, namespace);
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    TMPDIR: scratch,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    WEAVIATE_URL: stack.weaviate.url,
    WEAVIATE_GRPC: stack.weaviate.grpc,
    WEAVIATE_API_KEY: stack.weaviate.apiKey ?? '',
    LONGHAUL_CONFIG: at('longhaul.yaml'),
    LONGHAUL_MODEL_DIR: stack.modelFolder,
    DOOMED_BUNDLE: bundle,
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
  };
  const started: [string, string][] = [];
  const client = new Client({ connection, namespace, interceptors: { workflow: [impatientStarts(started)] } });
  const store = createIndexStore(weaviate, index.name, digest);
  const worker = await startDoomedWorker(env);
  const lane = { root, scratch, cacheDir, dataDir, env, forge, client, started, store, worker };
  lanes.push(lane);
  return lane;
}

/** Empties index and cache for the next scenario. */
async function reset({ store, cacheDir }: Lane): Promise<void> {
  for (const { repository, branches } of await store.receipts()) await store.deleteRepository(repository, branches);
  for (const name of ['git', 'mirrors', 'spool']) await rm(join(cacheDir, name), { recursive: true, force: true });
  if (existsSync(vectorFile(cacheDir))) {
    const cache = new DatabaseSync(vectorFile(cacheDir), { timeout: 10_000 });
    cache.exec('DELETE FROM vectors; DELETE FROM counts');
    cache.close();
  }
}

/** Abandons a scenario: terminates its flows, and replaces its worker. */
async function abandon(lane: Lane): Promise<void> {
  await lane.worker.kill();
  for await (const { workflowId, runId } of lane.client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    await lane.client.workflow
      .getHandle(workflowId, runId)
      .terminate()
      .catch(() => undefined);
  }
  lane.worker = await startDoomedWorker(lane.env);
}

function vectorFile(cacheDir: string): string {
  return join(cacheDir, 'analysis-1.sqlite');
}

function countVectors({ cacheDir }: Lane): number {
  if (!existsSync(vectorFile(cacheDir))) return 0;
  const cache = new DatabaseSync(vectorFile(cacheDir), { timeout: 10_000 });
  try {
    return Number(cache.prepare('SELECT count(*) AS n FROM vectors').get()?.['n']);
  } finally {
    cache.close();
  }
}

/** The running programs of a lane's workers, without the worker itself. They inherit the name of the scratch folder. */
async function programsOf({ scratch, worker }: Lane): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environ.includes(`TMPDIR=${scratch}\0`) || Number(pid) === worker.pid) continue;
    found.push(await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''));
  }
  return found.filter((command) => command !== '');
}

/** Partial files and locks. */
async function leftoversOf({ cacheDir, dataDir, scratch }: Lane): Promise<string[]> {
  const own = ['git', 'mirrors', 'spool'].map((name) => join(cacheDir, name));
  const names = await Promise.all(
    [...own, dataDir, scratch].map(async (each) =>
      (await readdir(each, { recursive: true }).catch(() => [])).map((name) => join(each, name)),
    ),
  );
  return names.flat().filter((name) => name.startsWith(scratch) || /\.tmp-|\/tmp_|\.lock/.test(name));
}
