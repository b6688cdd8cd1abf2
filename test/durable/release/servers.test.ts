import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readSecret } from '../../../stack/secret.ts';
import { startStack, type Stack } from '../../../stack/stack.ts';
import { readState } from '../../../stack/state.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import {
  brokenLinks,
  closeLane,
  type Kill,
  type Lane,
  liveThrough,
  openLane,
  type Stage,
} from '../../support/release/lives.ts';
import { replayAll } from '../../support/replay.ts';

let folder: string;
let stack: Stack;
let connection: Connection;
let lane: Lane;

// separate servers, so that those of other tests are not killed
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-release-servers-'));
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const dataDir = join(folder, 'data');
  stack = await startStack({ dataDir, cacheDir: inject('stack').cacheDir, env, needs: ['temporal', 'postgres'] });
  connection = await Connection.connect({ address: stack.temporal.address });
  const superuser = `postgres:${readSecret(join(dataDir, 'postgres.key')) ?? ''}`;
  lane = await openLane('servers', {
    connection,
    temporalAddress: stack.temporal.address,
    superuserUrl: `postgres://${superuser}@${stack.postgres.address}/postgres`,
    folder,
    bundle: await impatientBundle(folder),
  });
});

afterAll(async () => {
  await closeLane(lane);
  await connection.close();
  await stack.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

type ServerName = 'temporal' | 'postgres';

function pidOf(name: ServerName): number {
  const child = readState(stack.dataDir).children.find((each) => each.name === name);
  if (!child) throw new Error(`${name} does not run`);
  return child.pid;
}

/** Where a server is killed in each stage of a release. */
const KILLS: Readonly<Record<ServerName, Readonly<Record<Stage, string>>>> = {
  postgres: {
    refute: 'startEvolution: a commit is answered',
    prove: 'judgeEvolution: a commit is asked',
    promote: 'openGate: a commit is answered',
    hotfix: 'openHotfix: a commit is answered',
    'release hotfix': 'commitPromotion: a commit is answered',
    withdraw: 'withdrawGeneration: a commit is asked',
  },
  temporal: {
    refute: 'startEvolution is done',
    prove: 'pushCandidate: git push has ended',
    promote: 'commitPromotion is done',
    hotfix: 'pushBranch is done',
    'release hotfix': 'offerHotfix starts',
    withdraw: 'removeTag is done',
  },
};

test.for<ServerName>(['postgres', 'temporal'])(
  '%s killed in the middle of each flow of a release loses nothing that was acknowledged',
  { timeout: 900_000 },
  async (name) => {
    const at = (kind: string): Kill => ({ kind, nth: 1, victim: () => pidOf(name) });
    const scenario = Object.fromEntries(Object.entries(KILLS[name]).map(([stage, kind]) => [stage, at(kind)]));
    const survived: Stage[] = [];
    await liveThrough(lane, scenario, async (stage) => void survived.push(stage));
    expect(survived).toEqual(Object.keys(KILLS[name]));
    expect(await brokenLinks(lane)).toEqual([]);
    await replayAll(await collectRuns(lane.client, lane.started), inject('stack').workflowBundle);
  },
);
