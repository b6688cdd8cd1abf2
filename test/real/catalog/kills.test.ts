import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import type { AlertMessage } from '../../../activities/catalog/alerts/message.ts';
import { scheduleWatch, watchScheduleId } from '../../../activities/catalog/alerts/schedule.ts';
import { createGroupSchedules } from '../../../activities/catalog/groups/schedules.ts';
import { openBlobs } from '../../../activities/blobs/open-blobs.ts';
import { createBuilds } from '../../../activities/index/store/builds.ts';
import { connectWeaviate, type IndexClient } from '../../../activities/index/store/weaviate.ts';
import { createStreamSpool } from '../../../activities/index/stream-spool.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { queryProgress } from '../../../client/core/run-chain.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { Build } from '../../../domain/catalog/index/build.ts';
import { catalogFlows } from '../../../domain/catalog/flows/index.ts';
import { forgeBudgetFlow } from '../../../domain/forge/forge-budget-flow.ts';
import type { ForgeBudgetStatus, ForgeReport, LeaseRequest } from '../../../domain/forge/forge-budget.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { FLOWS_QUEUE } from '../../../domain/shared/queues.ts';
import { commandEnv } from '../../support/command.ts';
import { type DoomedWorker, startDoomedWorker } from '../../support/doomed-process.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { openEstate, sourceOf } from '../../support/catalog/flows.ts';
import { groupOf } from '../../support/catalog/group-run.ts';
import { impatientBundle, impatientStarts, openNamespace } from '../../support/impatient.ts';
import { dumpIndex, faultsOf, type IndexDump } from '../../support/catalog/index-dump.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { replayAll } from '../../support/replay.ts';

/**
 * Kills a worker once in the middle of every flow. Two worlds get the same repositories and the same flows. In one of
 * them the worker is killed with SIGKILL when an activity of each flow has done its work but not reported it to
 * Temporal, and another worker finishes. Both must end in the same state. `durable/catalog/sweep` kills at many more
 * moments.
 */
interface World {
  readonly name: string;
  readonly estate: Estate;
  readonly client: Client;
  readonly started: [string, string][];
  readonly env: NodeJS.ProcessEnv;
  /** Messages that the alert channel received, by delivery id: a channel ignores a known id. */
  readonly received: Map<string, AlertMessage>;
  readonly receiver: Server;
  worker: DoomedWorker;
  /** The results of the flows that have ended. */
  readonly results: Partial<Record<FlowName, unknown>>;
  /** The SHA-256 of a stored change stream. */
  stream: string;
}

/** The state of a world. */
interface State {
  readonly live: IndexDump;
  readonly builds: readonly Build[];
  /** The index of the build that is not live; null when there is none. */
  readonly other: IndexDump | null;
}

/** The flows of the other wings have kill tests of their own. */
const CATALOG = [...catalogFlows, forgeBudgetFlow] as const;
type FlowName = (typeof CATALOG)[number]['type'];

/** A run that was started. */
interface Started {
  result(): Promise<unknown>;
}

/** The kill of one flow. All flows of a round are held when the worker is killed. */
interface Kill {
  readonly round: number;
  /** Starts the flow; null if another flow of the round starts it. */
  readonly start: ((world: World) => Promise<Started>) | null;
  /** Workflow id and name of the held activity, with `*` as wildcard. Null for a flow without activities. */
  readonly at: string | null;
  /** The part of the state that the flow changes. */
  readonly changes: (state: State, world: World) => unknown;
}

const STREAMED = 'stdin/streamed/a';
const FORGE = { host: 'forge.example', fingerprint: '0123456789ab' };
const source = { file: 'sync-groups.yaml', commit: null, by: 'alice' };
const LEASE: LeaseRequest = {
  holder: 'a worker',
  line: 'rest',
  turn: 0,
  used: 0,
  busy: 0,
  said: {},
  limits: { concurrency: 10, restPerMinute: 900, graphqlPerMinute: 900 },
  atLeast: 1,
  points: 10,
  places: 1,
};

const KILLS: Readonly<Record<FlowName, Kill>> = {
  onboardRepositories: {
    round: 1,
    start: ({ client }) => startFlow(client, 'onboardRepositories', { patterns: ['onboarded/*'], parallel: 1 }),
    at: 'sync/local/onboarded/a indexRepository',
    changes: indexOf('local/onboarded/'),
  },
  syncRepositories: {
    round: 1,
    start: ({ client }) => startFlow(client, 'syncRepositories', { patterns: ['synced/*'], parallel: 1 }),
    at: 'sync/local/synced/a indexRepository',
    changes: indexOf('local/synced/'),
  },
  syncRepository: {
    round: 1,
    start: ({ client }) => startFlow(client, 'syncRepository', { repository: 'local/direct/a' }),
    at: 'sync/local/direct/a indexRepository',
    changes: indexOf('local/direct/'),
  },
  removeRepositories: {
    round: 1,
    start: ({ client }) => startFlow(client, 'removeRepositories', { patterns: ['removed/*'], parallel: 1 }),
    at: 'sync/local/removed/a removeRepository',
    changes: indexOf('local/removed/'),
  },
  removeRepository: {
    round: 1,
    start: ({ client }) => startFlow(client, 'removeRepository', { repository: 'local/gone/a' }),
    at: 'sync/local/gone/a removeRepository',
    changes: indexOf('local/gone/'),
  },
  verifyCatalog: {
    round: 1,
    start: ({ client }) => startFlow(client, 'verifyCatalog', { patterns: ['verified/*'], repair: true }),
    at: 'sync/local/verified/a verifyRepository',
    changes: indexOf('local/verified/'),
  },
  verifyRepository: {
    round: 1,
    start: ({ client }) => startFlow(client, 'verifyRepository', { repository: 'local/repaired/a', repair: true }),
    at: 'sync/local/repaired/a verifyRepository',
    changes: indexOf('local/repaired/'),
  },
  syncGroup: {
    round: 1,
    start: ({ client }) => startFlow(client, 'syncGroup', groupOf('grouped', ['local/grouped/*'])),
    at: 'sync/local/grouped/a indexRepository',
    changes: indexOf('local/grouped/'),
  },
  followRepository: {
    round: 1,
    start: ({ client }) => startFlow(client, 'followRepository', { repository: 'local/followed/a', quietSeconds: 0 }),
    at: 'sync/local/followed/a indexRepository',
    changes: indexOf('local/followed/'),
  },
  takeDeliveries: {
    round: 1,
    start: startDeliveries,
    at: 'deliveries tellRepositories',
    changes: indexOf('local/delivered/'),
  },
  ingestStream: {
    // after the builds: another build is not filled from a stream
    round: 4,
    start: ({ client, stream }) => startFlow(client, 'ingestStream', { repository: STREAMED, stream }),
    at: `sync/${STREAMED} ingestStream`,
    changes: indexOf(STREAMED),
  },
  applySyncGroups: {
    round: 1,
    start: ({ client }) => apply(client, { name: 'declared', patterns: ['declared/*'], paused: true }),
    at: '* applyGroups',
    changes: async (_state, { client, estate }) =>
      (await createGroupSchedules(client, estate.indexName).find(['declared'])).map(
        ({ group, isPaused, note, applied }) => ({ group, isPaused, note, by: applied?.by, file: applied?.file }),
      ),
  },
  watchFleet: {
    round: 1,
    start: startWatch,
    at: 'watch-fleet/* tellChannel',
    changes: (_state, { received, estate }) =>
      [...received.values()].map(
        ({ raised, settled }) =>
          JSON.parse(JSON.stringify([raised, settled]).replaceAll(estate.indexName, 'the index')) as unknown,
      ),
  },
  forgeBudget: { round: 1, start: reportToForgeBudget, at: null, changes: (_state, world) => hourOf(world) },
  reembedIndex: {
    round: 2,
    start: ({ client }) => startFlow(client, 'reembedIndex', { yes: true, parallel: 1 }),
    at: 'build/*/local/synced/a indexRepository',
    changes: ({ builds }) => builds.map(({ role, settings }) => ({ role, settings })),
  },
  fillBuild: {
    round: 2,
    start: null,
    at: 'build/*/local/synced/a indexRepository',
    changes: ({ live, builds }) => (builds.length > 1 ? live : null),
  },
  switchIndex: {
    round: 3,
    start: ({ client }) => startFlow(client, 'switchIndex', { to: 'previous' }),
    at: 'index-builds switchBuild',
    changes: ({ builds, live, other }) => ({ builds, live, other }),
  },
  pruneIndex: {
    round: 4,
    start: ({ client }) => startFlow(client, 'pruneIndex', { previous: true }),
    at: 'index-builds pruneBuilds',
    changes: ({ builds }, { results }) => ({ builds, dropped: results.pruneIndex }),
  },
};

const NAMES = Object.keys(KILLS) as FlowName[];
const ROUNDS = [...new Set(NAMES.map((name) => KILLS[name].round))].sort((a, b) => a - b);

/** Repositories of one commit. `INDEXED` are indexed before the first round; `MOVED` get another commit afterwards. */
const REPOSITORIES = (
  'onboarded/a onboarded/b synced/a synced/b direct/a removed/a removed/b gone/a broken/a ' +
  'verified/a repaired/a grouped/a followed/a delivered/a'
).split(' ');
const INDEXED = ['synced/*', 'removed/*', 'gone/*', 'verified/*', 'repaired/*', 'followed/*', 'delivered/*'];
const MOVED = ['synced/a', 'synced/b', 'followed/a', 'delivered/a'];
const DAMAGED = ['verified/a', 'repaired/a'];

let folder: string;
let connection: Connection;
let weaviate: IndexClient;
const worlds: World[] = [];
/** The part of the state that each flow changes, before and after its round, by world. */
const changes: Record<string, Partial<Record<FlowName, { readonly before: unknown; readonly after: unknown }>>> = {};
/** The state after each round, by world. */
const states: Record<string, State[]> = {};

beforeAll(async () => {
  const stack = inject('stack');
  folder = await mkdtemp(join(tmpdir(), 'longhaul-kills-'));
  connection = await Connection.connect({ address: stack.temporalAddress });
  weaviate = await connectWeaviate(stack.weaviate);
  const bundle = await impatientBundle(folder);
  await Promise.all(
    ['undisturbed', 'killed'].map(async (name) => {
      const world = await makeWorld(name, bundle);
      for (const round of ROUNDS) await play(world, round);
    }),
  );
});

afterAll(async () => {
  for (const { worker, receiver, estate } of worlds) {
    await worker.kill();
    receiver.close();
    await estate.dispose();
  }
  await weaviate.close();
  await connection.close();
  await rm(folder, { recursive: true, force: true });
});

test('every flow is killed once', () => {
  expect(NAMES.toSorted()).toEqual(CATALOG.map(({ type }) => type).toSorted());
});

test.for(NAMES)(
  '%s, killed when its work was done and Temporal did not know it, ends as if it had not been',
  (name) => {
    const [undisturbed, killed] = [changes['undisturbed']?.[name], changes['killed']?.[name]];
    expect(undisturbed?.after).toBeDefined();
    expect(undisturbed?.after, 'it changes something').not.toEqual(undisturbed?.before);
    expect(killed).toEqual(undisturbed);
  },
);

test('the whole index is the same in both worlds after each round, and matches git', () => {
  expect(states['killed']).toEqual(states['undisturbed']);
  for (const { live, other } of states['killed'] ?? []) {
    expect(faultsOf(live)).toEqual([]);
    expect(other === null ? [] : faultsOf(other)).toEqual([]);
  }
});

test('every flow answers with its progress, also after its end', async () => {
  const world = worlds.find(({ name }) => name === 'undisturbed');
  if (!world) throw new Error('there is no such world');
  const { client, started } = world;
  const answers: Record<string, FlowProgress> = {};
  for (const { workflowId, history } of await collectRuns(client, started)) {
    const event = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    const type = event?.workflowType?.name ?? '';
    const progress = await queryProgress(client, workflowId, event?.originalExecutionRunId ?? '');
    expect(progress, workflowId).not.toBeNull();
    // a run may have found nothing to do, such as the last pass of a build
    if (progress !== null && progress.done >= (answers[type]?.done ?? 0)) answers[type] = progress;
  }
  expect(Object.keys(answers).toSorted()).toEqual(CATALOG.map(({ type }) => type).toSorted());
  const { forgeBudget: budget, ...ended } = answers;
  expect(budget).toMatchObject({ stage: 'granting requests', unit: 'REST requests of this hour' });
  for (const [type, progress] of Object.entries(ended)) {
    expect(progress, type).toMatchObject({ stage: 'done', total: progress.done, asks: null });
    expect(progress.done, type).toBeGreaterThan(0);
  }
});

test('every run replays', async () => {
  for (const { client, started } of worlds)
    expect(await replayAll(await collectRuns(client, started), inject('stack').workflowBundle)).toBeGreaterThan(10);
});

/**
 * Starts the flows of a round, kills the worker of one world in the middle of all of them, and waits for their ends.
 */
async function play(world: World, round: number): Promise<void> {
  const names = NAMES.filter((name) => KILLS[name].round === round);
  const before = await changesOf(world, names);
  const isKilled = world.name === 'killed';
  await world.worker.hold(isKilled ? [...new Set(names.flatMap((name) => KILLS[name].at ?? []))] : []);
  const runs = await Promise.all(
    names.map(async (name) => ({ name, run: (await KILLS[name].start?.(world)) ?? null })),
  );
  if (isKilled) {
    await world.worker.held();
    await world.worker.kill();
    world.worker = await startDoomedWorker(world.env);
  }
  await Promise.all(runs.map(async ({ name, run }) => (world.results[name] = await run?.result())));
  const after = await changesOf(world, names);
  const own = (changes[world.name] ??= {});
  for (const name of names) own[name] = { before: before.of[name], after: after.of[name] };
  (states[world.name] ??= []).push(after.state);
}

async function changesOf(
  world: World,
  names: readonly FlowName[],
): Promise<{ state: State; of: Partial<Record<FlowName, unknown>> }> {
  const state = await stateOf(world);
  const of: Partial<Record<FlowName, unknown>> = {};
  for (const name of names) of[name] = await KILLS[name].changes(state, world);
  return { state, of };
}

async function stateOf({ estate }: World): Promise<State> {
  const builds = createBuilds(weaviate, estate.indexName);
  const found = await builds.list();
  const dump = async (build: Build | undefined): Promise<IndexDump | null> =>
    build === undefined ? null : dumpIndex(weaviate, builds.store(build.digest));
  const live = await dump(found.find(({ role }) => role === 'live'));
  if (live === null) throw new Error('no build is live');
  return { live, builds: found, other: await dump(found.find(({ role }) => role !== 'live')) };
}

/** The index of the repositories whose ids begin with `prefix`. */
function indexOf(prefix: string): (state: State) => unknown {
  return ({ live: { objects, refs, receipts } }) => ({
    objects: Object.entries(objects).filter(([, object]) => object.startsWith(prefix)),
    refs: Object.entries(refs).filter(([id]) => objects[id]?.startsWith(prefix)),
    receipts: receipts.filter(({ repository }) => repository.startsWith(prefix)),
  });
}

/** Makes repositories, an index of most of them, a failed group, a stored stream, and a worker that can be held. */
async function makeWorld(name: string, bundle: string): Promise<World> {
  const estate = await createEstate({ maxFileBytes: 999_999 });
  // the first build; the configuration below names another model
  await (await openEstate(estate)).close();
  const received = new Map<string, AlertMessage>();
  const receiver = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const message = JSON.parse(Buffer.concat(pieces).toString()) as AlertMessage;
      received.set(message.id, message);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as { readonly index: object };
  const index = { ...config.index, maxFileBytes: 1_000_000 };
  const channels = [{ name: 'hook', type: 'webhook', urlEnv: 'HOOK_URL' }];
  await writeFile(estate.configPath, JSON.stringify({ ...config, index, alerts: { channels } }));
  const namespace = `kills-${name}`;
  await openNamespace(connection, namespace);
  const env = commandEnv(estate, {
    TEMPORAL_NAMESPACE: namespace,
    DOOMED_BUNDLE: bundle,
    HOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
  });
  const started: [string, string][] = [];
  const client = new Client({ connection, namespace, interceptors: { workflow: [impatientStarts(started)] } });
  const worker = await startDoomedWorker(env);
  const world: World = { name, estate, client, started, env, received, receiver, worker, results: {}, stream: '' };
  worlds.push(world);

  const text = sourceOf('workflows/shared/lanes.ts');
  for (const repository of REPOSITORIES) await estate.create(repository, { 'a.ts': text, 'b.md': `# ${repository}\n` });
  await (await startFlow(client, 'onboardRepositories', { patterns: INDEXED })).result();
  for (const repository of MOVED)
    await estate.commit(repository, { 'c.ts': `export const moved = '${repository}';\n` });
  const { live } = await stateOf(world);
  const builds = createBuilds(weaviate, estate.indexName);
  const { digest = '' } = (await builds.live()) ?? {};
  for (const repository of DAMAGED) {
    const [id = ''] = Object.keys(live.objects).filter((one) =>
      live.objects[one]?.startsWith(`local/${repository} a.ts`),
    );
    await weaviate.collections.use(builds.store(digest).names.chunks).data.deleteById(id);
  }
  await writeFile(join(estate.gitDir('broken/a'), 'refs/heads/main'), 'no commit\n');
  await scheduleWatch(client, estate.indexName, true);
  // runs when the test triggers it
  await client.schedule.getHandle(watchScheduleId(estate.indexName)).pause();
  await (await apply(client, { name: 'failing', patterns: ['broken/*'] })).result();
  const [failing] = await createGroupSchedules(client, estate.indexName).find(['failing']);
  await client.workflow.getHandle(failing?.lastRun?.workflowId ?? '').result();
  const loaded = loadConfig({ path: estate.configPath, env });
  const line = { repo_id: STREAMED, op: 'add', path: 'a.ts', content: text };
  const spool = createStreamSpool(await openBlobs(loaded, env), loaded.config.index.maxFileBytes);
  const [spooled] = await spool.put(Readable.from([`${JSON.stringify(line)}\n`]), 'stdin');
  world.stream = spooled?.stream ?? '';
  await leaseFromForgeBudget(world);
  return world;
}

function apply(client: Client, group: object): Promise<Started> {
  const document = JSON.stringify({ version: 1, groups: [{ schedule: '0 3 * * *', ...group }] });
  return startFlow(client, 'applySyncGroups', { document, source });
}

/** Sends a forge's push as the gateway does, and waits for the flows that follow. */
async function startDeliveries({ client }: World): Promise<Started> {
  const event = { kind: 'pushed', delivery: 'a delivery' };
  const taken = await client.workflow.signalWithStart('takeDeliveries', {
    workflowId: 'deliveries',
    taskQueue: FLOWS_QUEUE,
    args: [{}],
    signal: 'deliveries',
    signalArgs: [{ deliveries: [{ repository: 'local/delivered/a', quietSeconds: 0, event }] }],
  });
  return {
    result: async () => {
      await taken.result();
      await client.workflow.getHandle('follow/local/delivered/a').result();
    },
  };
}

/** Triggers the schedule that raises alerts. */
async function startWatch({ client, estate, started }: World): Promise<Started> {
  const schedule = client.schedule.getHandle(watchScheduleId(estate.indexName));
  await schedule.trigger();
  const workflowId = await vi.waitFor(
    async () => {
      const [run] = (await schedule.describe()).info.recentActions;
      if (!run) throw new Error('the schedule started nothing');
      return run.action.workflow.workflowId;
    },
    { timeout: 60_000, interval: 100 },
  );
  const handle = client.workflow.getHandle(workflowId);
  started.push([workflowId, (await handle.describe()).runId]);
  return handle;
}

/** Leases points like a worker that is killed afterwards. */
async function leaseFromForgeBudget({ client }: World): Promise<void> {
  const run = await startFlow(client, 'forgeBudget', FORGE);
  await run.executeUpdate('lease', { args: [LEASE] });
}

/** Reports the forge's hourly limit while the worker of the budget is killed. */
function reportToForgeBudget({ client }: World): Promise<Started> {
  const { host, fingerprint } = FORGE;
  const run = client.workflow.getHandle(`forge/${host}/${fingerprint}`);
  const said = { hourly: { limit: 5_000, remaining: 4_321, resetInMs: 3_600_000 } };
  const { limits: _limits, atLeast: _atLeast, points: _points, places: _places, ...report } = LEASE;
  return Promise.resolve({
    result: () => run.executeUpdate<unknown, [ForgeReport]>('report', { args: [{ ...report, used: 1, said }] }),
  });
}

async function hourOf({ client }: World): Promise<unknown> {
  const { host, fingerprint } = FORGE;
  const { rest } = await client.workflow.getHandle(`forge/${host}/${fingerprint}`).query<ForgeBudgetStatus>('budget');
  return rest.hour === null ? null : { limit: rest.hour.limit, remaining: rest.hour.remaining };
}
