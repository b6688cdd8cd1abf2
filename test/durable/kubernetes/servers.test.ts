import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import { readSecret } from '../../../stack/secret.ts';
import { startStack, type Stack } from '../../../stack/stack.ts';
import { readState } from '../../../stack/state.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import {
  closeDeployedLane,
  type DeployedLane,
  liveDeployed,
  openDeployedLane,
} from '../../support/release/deployed-lives.ts';
import { clusterFolder, clusterIn } from '../../support/release/deployments.ts';
import type { Kill } from '../../support/release/lives.ts';
import { PLAIN_LIFE, type PlainStage } from '../../support/release/plain-life.ts';
import { replayAll } from '../../support/replay.ts';

const { folder, kubeconfig, remove } = clusterFolder();
let stack: Stack;
let connection: Connection;
let cluster: Cluster;
let lane: DeployedLane;

// separate servers, so that those of other tests are not killed
beforeAll(async () => {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const dataDir = join(folder, 'data');
  stack = await startStack({ dataDir, cacheDir: inject('stack').cacheDir, env, needs: ['temporal', 'postgres'] });
  connection = await Connection.connect({ address: stack.temporal.address });
  cluster = await clusterIn(folder);
  const key = join(folder, 'deploy.key');
  writeFileSync(key, await newKeyFile(), { mode: 0o600 });
  mkdirSync(join(folder, 'lanes'));
  const superuser = `postgres:${readSecret(join(dataDir, 'postgres.key')) ?? ''}`;
  const place = {
    connection,
    temporalAddress: stack.temporal.address,
    superuserUrl: `postgres://${superuser}@${stack.postgres.address}/postgres`,
    folder: join(folder, 'lanes'),
    bundle: await impatientBundle(folder),
    clusters: {
      // another one after each restart
      get test() {
        return cluster;
      },
    },
    kubeconfig,
    key,
    undisturbed: new Map(),
  };
  lane = await openDeployedLane('servers', place, PLAIN_LIFE);
}, CLUSTER_BUILD_MS);

afterAll(async () => {
  await closeDeployedLane(lane);
  await connection.close();
  await Promise.all([stack.stop(), cluster.stop()]);
  remove();
});

/** Where a server is killed in each stage. */
const KILLS: Readonly<Record<'postgres' | 'temporal' | 'apiserver', Readonly<Record<PlainStage, string>>>> = {
  postgres: {
    deploy: 'planDeployment: a commit is asked',
    fail: 'startDeployment: a commit is answered',
    'go back': 'endDeployment: a commit is answered',
  },
  temporal: {
    deploy: 'applyService is done',
    fail: 'undoObjects: kubectl runs',
    'go back': 'awaitReady starts',
  },
  apiserver: {
    deploy: 'applyService: kubectl has ended',
    fail: 'undoObjects: kubectl runs',
    'go back': 'removeObjects: kubectl has ended',
  },
};

/** How long the address of the apiserver refuses connections. */
const REFUSED_MS: Readonly<Record<PlainStage, number>> = { deploy: 60_000, fail: 5_000, 'go back': 0 };

test('deployments that nothing disturbs leave what the others are compared with', { timeout: 600_000 }, async () => {
  const passed: PlainStage[] = [];
  await liveDeployed(lane, PLAIN_LIFE, {}, async (stage) => void passed.push(stage));
  expect(passed).toEqual(Object.keys(REFUSED_MS));
});

test.for(['postgres', 'temporal', 'apiserver'] as const)(
  '%s killed in the middle of deployments: each completes, or is undone as a whole',
  { timeout: 1_200_000 },
  async (name) => {
    const scenario = Object.fromEntries(
      Object.entries(KILLS[name]).map(([stage, kind]): [string, Kill] => [
        stage,
        { kind, nth: 1, victim: () => (name === 'apiserver' ? cluster.pid : pidOf(name)) },
      ]),
    );
    const survived: PlainStage[] = [];
    const stop = new AbortController();
    const restarting = name === 'apiserver' ? restartCluster(survived, stop.signal) : null;
    await liveDeployed(lane, PLAIN_LIFE, scenario, async (stage) => void survived.push(stage));
    stop.abort();
    await restarting;
    expect(survived).toEqual(Object.keys(KILLS[name]));
    await replayAll(await collectRuns(lane.client, lane.started), inject('stack').workflowBundle);
  },
);

function pidOf(name: 'postgres' | 'temporal'): number {
  const child = readState(stack.dataDir).children.find((each) => each.name === name);
  if (!child) throw new Error(`${name} does not run`);
  return child.pid;
}

/** Starts the cluster again each time it has been killed, after the time of the stage that runs. */
async function restartCluster(survived: readonly PlainStage[], signal: AbortSignal): Promise<void> {
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  for (;;) {
    await Promise.race([cluster.ended, aborted]);
    if (signal.aborted) return;
    const stage = (['deploy', 'fail', 'go back'] as const)[survived.length] ?? 'go back';
    await pause(REFUSED_MS[stage]);
    cluster = await startCluster(join(folder, 'cluster'));
  }
}
