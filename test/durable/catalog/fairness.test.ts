import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { createGroupSchedules } from '../../../activities/catalog/groups/schedules.ts';
import type { IndexTools } from '../../../activities/catalog/catalog.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { reposWork } from '../../../activities/catalog/repos-role.ts';
import { REPOS_QUEUE } from '../../../domain/shared/queues.ts';
import { activityWorker, type WorkerPlace } from '../../../workers/roles.ts';
import { type DescribedForge, startDescribedForge } from '../../support/described-forge.ts';
import { FORGES } from '../../support/dialects.ts';
import { createEstate } from '../../support/estate.ts';
import { type EstateTools, openEstate, sourceOf, test } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { realSources } from '../../support/real-sources.ts';
import { collectRuns } from '../../support/recorded-runs.ts';

const ACTIVITIES = temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
/** Repositories of the large group: one is in progress and the others wait when the small group starts. */
const LARGE = 30;

/** How many batches a worker holds in memory, of all repositories. */
const IN_MEMORY = availableParallelism() + 2;

/** When an activity was scheduled and started, in milliseconds since 1970. */
interface Wait {
  readonly scheduled: number;
  readonly started: number;
}

/** The queue when an activity of the small group was scheduled. */
interface Found {
  /** Number of activities of the large group that were waiting. */
  readonly waiting: number;
  /** How many of these were started before it. */
  readonly before: number;
}

/** Starts a worker that does one thing at a time; the function stops it. */
async function startNarrowWorker(place: WorkerPlace, tools: EstateTools): Promise<() => Promise<void>> {
  const options = {
    ...activityWorker(place, 'repos', reposWork(tools)),
    maxConcurrentActivityTaskExecutions: 1,
    shutdownGraceTime: 100,
  };
  const worker = await Worker.create(options);
  const done = worker.run();
  return async () => {
    worker.shutdown();
    await done;
  };
}

/** Declares groups that run on request, each for the organization with its name. */
async function apply(client: Client, priorities: Readonly<Record<string, number>>): Promise<void> {
  const groups = Object.entries(priorities).map(([name, priority]) => ({
    name,
    priority,
    schedule: '0 3 * * *',
    patterns: [`${name}/*`],
    parallel: 64,
    paused: true,
  }));
  const flow = await startFlow(client, 'applySyncGroups', {
    document: JSON.stringify({ version: 1, groups }),
    source: { file: 'sync-groups.yaml', commit: null, by: 'alice' },
    prune: true,
  });
  await flow.result();
}

/** Number of activities that wait for a worker of the role `repos`. */
async function backlogOf(client: Client): Promise<number> {
  const { stats } = await client.workflowService.describeTaskQueue({
    namespace: NAMESPACE,
    taskQueue: { name: REPOS_QUEUE },
    taskQueueType: ACTIVITIES,
    reportStats: true,
  });
  return Number(stats?.approximateBacklogCount ?? 0);
}

/** Every activity on the queue `longhaul-repos` of a group's run and of its repositories. */
async function waitsOf(client: Client, run: readonly [string, string]): Promise<Wait[]> {
  const runs = await collectRuns(client, [run]);
  return runs.flatMap(({ history }) => {
    const events = history.events ?? [];
    return events.flatMap(({ activityTaskStartedEventAttributes: started, eventTime }) => {
      const scheduled = events.find(({ eventId }) => started && String(eventId) === String(started.scheduledEventId));
      return scheduled ? [{ scheduled: tsToMs(scheduled.eventTime), started: tsToMs(eventTime) }] : [];
    });
  });
}

/** Starts a small group while a large one waits for the only worker, then restarts the worker. Both complete. */
async function smallBehindLarge(
  client: Client,
  place: WorkerPlace,
  priorities: { readonly large: number; readonly small: number },
): Promise<Found[]> {
  const estate = await createEstate();
  const tools = await openEstate(estate);
  onTestFinished(async () => {
    await tools.close();
    await estate.dispose();
  });
  const sources = realSources(10);
  for (let at = 0; at < LARGE; at++) await estate.create(`large/r${String(at).padStart(2, '0')}`, sources);
  for (let at = 0; at < 3; at++) await estate.create(`small/r${at}`, sources);
  let stop = await startNarrowWorker(place, tools);
  onTestFinished(() => stop());
  await apply(client, priorities);
  onTestFinished(() => apply(client, {}));
  const schedules = createGroupSchedules(client, tools.indexName);
  const start = async (name: string) => {
    const handle = client.workflow.getHandle(await schedules.run(name));
    return { handle, run: [handle.workflowId, (await handle.describe()).runId] as const };
  };

  const large = await start('large');
  await expect.poll(() => large.handle.query('progress')).toMatchObject({ stage: 'working' });
  await stop();
  await expect.poll(() => backlogOf(client)).toBeGreaterThan(LARGE - 5);
  const small = await start('small');
  await expect.poll(() => small.handle.query('progress')).toMatchObject({ stage: 'finding' });
  stop = await startNarrowWorker(place, tools);
  expect(await small.handle.result()).toMatchObject({ matched: 3, succeeded: 3, failed: 0 });
  expect(await large.handle.result()).toMatchObject({ matched: LARGE, succeeded: LARGE, failed: 0 });

  const waits = await waitsOf(client, large.run);
  const found = (await waitsOf(client, small.run)).map(({ scheduled, started }) => {
    const waiting = waits.filter((other) => other.scheduled < scheduled && other.started > scheduled);
    return { waiting: waiting.length, before: waiting.filter((other) => other.started < started).length };
  });
  // to find its repositories, and one activity for each
  expect(found).toHaveLength(4);
  for (const { waiting } of found) expect(waiting).toBeGreaterThan(LARGE / 2);
  return found;
}

test('groups of the same priority take turns: a small one does not wait for the backlog of a large one', async ({
  connections: { connection },
  place,
}) => {
  const client = new Client({ connection, namespace: NAMESPACE });
  const found = await smallBehindLarge(client, place, { large: 3, small: 3 });
  // three that are scheduled at the same moment take three turns
  expect(Math.max(...found.map(({ before }) => before))).toBeLessThanOrEqual(4);
});

test('a group of priority 1 is served before one of priority 5', async ({ connections: { connection }, place }) => {
  const client = new Client({ connection, namespace: NAMESPACE });
  const found = await smallBehindLarge(client, place, { large: 5, small: 1 });
  // the worker finishes what it has started
  expect(Math.max(...found.map(({ before }) => before))).toBeLessThanOrEqual(1);
});

test('a large repository does not block the others: their batches take turns with its own', async ({ flows }) => {
  const { estate, tools, client } = flows;
  const HUGE = 'local/huge/monorepo';
  await estate.create('huge/monorepo', Object.fromEntries(Object.entries(realSources(2_000))));
  const small = {
    'lanes.ts': sourceOf('workflows/shared/lanes.ts'),
    'lock.ts': sourceOf('workflows/shared/patience.ts'),
  };
  for (let at = 0; at < 5; at++) await estate.create(`small/r${at}`, small);
  let finish: () => void = () => undefined;
  const othersAreDone = new Promise<void>((resolve) => (finish = resolve));
  let batches = 0;
  /** How many batches of the large repository were analysed while one of another waited. */
  const waited: number[] = [];
  const { index } = tools;
  Object.assign(tools, {
    index: async (build?: string): Promise<IndexTools> => {
      const own = await index(build);
      return {
        ...own,
        mgit: {
          ...own.mgit,
          diff: async (...question) => {
            const found = await own.mgit.diff(...question);
            if (question[0].id !== HUGE) return found;
            return {
              ...found,
              async *changes() {
                let files = 0;
                for await (const change of found.changes()) {
                  // it is under way until the others are done
                  if (++files === 1_500) await othersAreDone;
                  yield change;
                }
              },
            };
          },
        },
        analyzer: {
          ...own.analyzer,
          analyze: async (files, options) => {
            const isSmall = files.some(({ path }) => Object.hasOwn(small, path));
            const before = batches;
            const analysis = await own.analyzer.analyze(files, options);
            if (isSmall) waited.push(batches - before);
            else batches++;
            return analysis;
          },
        },
      };
    },
  } satisfies Partial<EstateTools>);
  const huge = await startFlow(client, 'onboardRepositories', { patterns: ['huge/*'] });
  await expect.poll(() => tools.store.count(HUGE)).toBeGreaterThan(0);
  const others = await startFlow(client, 'onboardRepositories', { patterns: ['small/*'] });
  expect(await others.result()).toMatchObject({ matched: 5, succeeded: 5, failed: 0, filesChanged: 10 });
  expect(await tools.store.readReceipt(HUGE), 'the large one is under way').toMatchObject({ commit: '' });
  finish();
  expect(await huge.result()).toMatchObject({ matched: 1, succeeded: 1, failed: 0, filesChanged: 2_000 });
  expect(waited).toHaveLength(5);
  expect(Math.max(...waited)).toBeLessThanOrEqual(2 * IN_MEMORY);
});

describe('with a slow forge', () => {
  let forge: DescribedForge;

  test.override('providers', async ({}, { onCleanup }) => async (root: string) => {
    const kind = FORGES.gitea;
    const slow = await startDescribedForge(kind.dialect, join(root, 'slow'));
    for (const [name, value] of Object.entries(kind.env)) vi.stubEnv(name, value);
    onCleanup(async () => {
      vi.unstubAllEnvs();
      await slow.close();
    });
    forge = slow;
    return [kind.config(slow.url), { name: 'local', type: 'local', root: join(root, 'fast') }];
  });

  test('a group of slow repositories leaves slots to others', async ({ flows }) => {
    const { estate, client } = flows;
    for (let at = 0; at < 8; at++) {
      await estate.create(`slow/acme/r${at}`, { 'lanes.ts': sourceOf('workflows/shared/lanes.ts') });
      forge.host(`acme/r${at}`);
    }
    await estate.create('fast/small/one', { 'lock.ts': sourceOf('workflows/shared/patience.ts') });
    let answer = (): void => undefined;
    forge.held = new Promise((resolve) => (answer = resolve));
    const slow = await startFlow(client, 'onboardRepositories', { patterns: ['work/acme/*'] });
    const ofGit = (): string[] => forge.requests.filter((request) => request.includes('git-upload-pack'));
    await expect.poll(ofGit).toHaveLength(8);
    const fast = await startFlow(client, 'onboardRepositories', { patterns: ['local/small/*'] });
    expect(await fast.result()).toMatchObject({ matched: 1, succeeded: 1, failed: 0 });
    expect(ofGit(), 'the slow ones still wait for their first answer').toHaveLength(8);
    answer();
    expect(await slow.result()).toMatchObject({ matched: 8, succeeded: 8, failed: 0 });
  });
});
