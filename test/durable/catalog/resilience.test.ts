import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { expect, inject, onTestFinished } from 'vitest';
import { mirrorPath } from '../../../activities/mgit/mirror.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { advanceFleet, rewindFleet } from '../../../examples/fleet.ts';
import { commandEnv } from '../../support/command.ts';
import { type DoomedWorker, startDoomedWorker } from '../../support/doomed-process.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { openEstate, test } from '../../support/catalog/flows.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { dumpFromScratch, dumpOf } from '../../support/catalog/from-scratch.ts';
import { faultsOf, type IndexDump } from '../../support/catalog/index-dump.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { makePublishedFleet, PUBLISHED } from '../../support/published-fleet.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import { replayAll } from '../../support/replay.ts';

/**
 * Number of kills before a second worker starts: alone, the first one cannot finish before that, however slow its
 * restart.
 */
const ALONE = 2;
/** Milliseconds until a worker with work is killed: zero while it is alone, then up to three seconds, by its turn. */
const lifeOf = (turn: number): number => (turn < ALONE ? 0 : 100 + ((turn * 700) % 3_000));

/** A worker process on its own simulated machine: it shares only the forge and the servers with others. */
type Machine = () => Promise<DoomedWorker>;

interface Scene {
  readonly estate: Estate;
  readonly forge: Forge;
  /** The cache folder of a machine. */
  readonly cacheOf: (machine: string) => string;
  readonly machine: (name: string) => Promise<Machine>;
  /** Moves every repository to its last version. Returns how many moved. */
  readonly advance: () => Promise<number>;
  /** Moves them back, as a force-push would. */
  readonly rewind: () => Promise<number>;
}

/** Real repositories behind a forge, so that workers need mirrors of them. */
async function openScene(): Promise<Scene> {
  let forge: Forge | null = null;
  const estate = await createEstate({
    providers: async (root) => {
      forge = await startForge(root);
      return [{ name: 'work', type: 'github', url: forge.url }];
    },
  });
  onTestFinished(() => estate.dispose());
  const served = forge as unknown as Forge;
  onTestFinished(() => served.close());
  const packages = await makePublishedFleet(served.root);
  const folder = join(estate.root, '..');
  const bundle = await impatientBundle(folder);
  const cacheOf = (name: string): string => join(folder, name);
  const machine = async (name: string): Promise<Machine> => {
    const { cacheDir } = inject('stack');
    await mkdir(cacheOf(name));
    for (const shared of ['models', 'digests']) await symlink(join(cacheDir, shared), join(cacheOf(name), shared));
    const env = commandEnv(estate, { LONGHAUL_CACHE_DIR: cacheOf(name), DOOMED_BUNDLE: bundle });
    return async () => {
      const worker = await startDoomedWorker(env);
      onTestFinished(() => worker.kill());
      await worker.arm(null);
      return worker;
    };
  };
  const advance = (): Promise<number> => advanceFleet({ root: served.root, packages });
  const rewind = (): Promise<number> => rewindFleet({ root: served.root, packages });
  return { estate, forge: served, cacheOf, machine, advance, rewind };
}

/**
 * Kills a worker repeatedly while it indexes, until the run is over; another one joins it after some kills. Returns the
 * number of kills.
 */
async function killWhileRunning(
  machine: Machine,
  run: Promise<unknown>,
  callOther: () => Promise<void>,
): Promise<number> {
  const over = new AbortController();
  const end = (): void => over.abort();
  run.then(end, end);
  let kills = 0;
  for (let worker = await machine(); ; worker = await machine()) {
    while (!over.signal.aborted && !(await isIndexing(worker))) await pause(10);
    if (!over.signal.aborted) await pause(lifeOf(kills));
    if (!over.signal.aborted && (await isIndexing(worker))) kills++;
    await worker.kill();
    if (over.signal.aborted) return kills;
    if (kills === ALONE) await callOther();
  }
}

async function isIndexing(worker: DoomedWorker): Promise<boolean> {
  const { passed } = await worker.report();
  return (passed['indexRepository starts'] ?? 0) > (passed['indexRepository is done'] ?? 0);
}

/** Activities of a run and its children that were retried because their worker was gone. */
async function retriedIn(client: Client, handle: WorkflowHandle): Promise<number> {
  const runs = await collectRuns(client, [[handle.workflowId, (await handle.describe()).runId]]);
  await replayAll(runs, inject('stack').workflowBundle);
  return runs
    .flatMap(({ history }) => history.events ?? [])
    .filter(({ activityTaskStartedEventAttributes: started }) => (started?.attempt ?? 1) > 1).length;
}

test(
  'two workers, one of them killed repeatedly: complete, correct, without duplicates',
  { timeout: 900_000 },
  async ({ connections: { connection } }) => {
    const client = new Client({ connection, namespace: NAMESPACE });
    const { estate, forge, cacheOf, machine, advance, rewind } = await openScene();
    const ids = PUBLISHED.map((name) => `work/${name}`);
    const mirrorsOf = (name: string): string[] => ids.filter((id) => existsSync(mirrorPath(cacheOf(name), id)));
    const mortal = await machine('mortal');
    let kills = 0;
    let retried = 0;
    const survive = async (
      handle: WorkflowHandle & { result(): Promise<CatalogFleetResult> },
      other: Machine,
    ): Promise<DoomedWorker> => {
      const result = handle.result();
      let joined: DoomedWorker | null = null;
      kills += await killWhileRunning(mortal, result, async () => {
        joined ??= await other();
      });
      expect(await result).toMatchObject({ matched: ids.length, succeeded: ids.length, failed: 0 });
      retried += await retriedIn(client, handle);
      if (joined === null) throw new Error('the run was over before the other worker came');
      return joined;
    };
    const first = await machine('first');
    const onboarding = await startFlow(client, 'onboardRepositories', { patterns: ['work/published/*'], parallel: 16 });
    const steady = await survive(onboarding, first);
    await steady.kill();
    expect(await advance()).toBe(ids.length);
    const onward = await survive(await startFlow(client, 'syncRepositories', { all: true, parallel: 16 }), first);
    await onward.kill();

    // another machine without mirrors continues for both
    const elsewhere = await machine('elsewhere');
    expect(mirrorsOf('elsewhere')).toEqual([]);
    await elsewhere();
    expect(await rewind()).toBe(ids.length);
    const back = await startFlow(client, 'syncRepositories', { all: true });
    expect(await back.result()).toMatchObject({ matched: ids.length, succeeded: ids.length, failed: 0 });
    expect(mirrorsOf('elsewhere')).toEqual(ids);

    expect(kills).toBeGreaterThanOrEqual(2 * ALONE);
    expect(retried).toBeGreaterThan(1);
    const tools = await openEstate(estate);
    onTestFinished(() => tools.close());
    const dump = await dumpOf(tools.store);
    expect(faultsOf(dump)).toEqual([]);
    const expected = await dumpFromScratch([{ name: 'work', type: 'github', url: forge.url }], ids);
    const complete = ids.filter((id) => isDeepStrictEqual(partOf(dump, id), partOf(expected, id)));
    const rebuilt = mirrorsOf('elsewhere').length;
    process.stderr.write(
      `killed ${kills} times, ${retried} activities begun again, ${rebuilt} mirrors made anew: ` +
        `${complete.length} of ${ids.length} repositories complete\n`,
    );
    expect(complete).toEqual(ids);
    expect(dump).toEqual(expected);
  },
);

/** The content of an index for one repository. */
function partOf({ objects, receipts }: IndexDump, id: string): object {
  return {
    receipt: receipts.find(({ repository }) => repository === id),
    objects: Object.fromEntries(Object.entries(objects).filter(([, text]) => text.startsWith(`${id} `))),
  };
}
