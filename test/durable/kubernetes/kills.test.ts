import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import { type Boundary, boundariesOf } from '../../support/doomed-process.ts';
import { impatientBundle } from '../../support/impatient.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { collectRuns } from '../../support/recorded-runs.ts';
import {
  abandonDeployed,
  closeDeployedLane,
  type DeployedLane,
  type DeployedPlace,
  liveDeployed,
  openDeployedLane,
  type Scenario,
  type Stage,
  STAGES,
} from '../../support/release/deployed-lives.ts';
import { clusterFolder, clusterIn } from '../../support/release/deployments.ts';
import { replayAll } from '../../support/replay.ts';
import { sampleWithKinds } from '../../support/sample-of-kinds.ts';

/** The last boundary of each of these kinds is killed in every run. */
const ALWAYS: Readonly<Record<Stage, readonly string[]>> = {
  deploy: [
    'planDeployment: a commit is answered',
    'startDeployment: a commit is answered',
    'runHook: bwrap runs',
    'applyService: kubectl has ended',
    'removeObjects: kubectl has ended',
    'endDeployment: a commit is answered',
  ],
  fail: ['applyService: kubectl runs', 'undoObjects: kubectl runs', 'undoObjects: kubectl has ended'],
  'go back': ['runHook: bwrap has ended', 'applyService: kubectl has ended', 'endDeployment: a commit is asked'],
};
/** How many boundaries of each stage are killed in every run, spread evenly over their kinds. */
const SAMPLE = 20;
/** Lives at a time: the detection of a dead worker, and readiness, take a while, but no processor time. */
const LANES = 4;

const { folder, kubeconfig, remove } = clusterFolder();
let place: DeployedPlace;
const lanes: DeployedLane[] = [];

beforeAll(async () => {
  const { temporalAddress, superuserUrl } = inject('stack');
  const cluster = await clusterIn(folder);
  const key = join(folder, 'deploy.key');
  writeFileSync(key, await newKeyFile(), { mode: 0o600 });
  mkdirSync(join(folder, 'lanes'));
  place = {
    connection: await Connection.connect({ address: temporalAddress }),
    temporalAddress,
    superuserUrl,
    folder: join(folder, 'lanes'),
    bundle: await impatientBundle(folder),
    cluster,
    kubeconfig,
    key,
    undisturbed: new Map(),
  };
}, CLUSTER_BUILD_MS);

afterAll(async () => {
  await Promise.all(lanes.map(closeDeployedLane));
  await place.connection.close();
  await place.cluster.stop();
  remove();
});

async function open(name: string): Promise<DeployedLane> {
  const lane = await openDeployedLane(name, place);
  lanes.push(lane);
  return lane;
}

test(
  'another machine carries out, or undoes, what a killed worker has begun: the cluster and the ledger agree',
  { timeout: 14_400_000 },
  async () => {
    const reference = await open('reference');
    const boundaries = {} as Record<Stage, Boundary[]>;
    await liveDeployed(reference, {}, async (stage) => {
      boundaries[stage] = boundariesOf(await reference.worker.report());
    });
    const every = STAGES.reduce((sum, stage) => sum + boundaries[stage].length, 0);
    const chosen = STAGES.map((stage): readonly [Stage, readonly Boundary[]] => [
      stage,
      process.env['FULL_SWEEP'] === '1' ? boundaries[stage] : sampleWithKinds(boundaries[stage], ALWAYS[stage], SAMPLE),
    ]);
    const asked = chosen.reduce((sum, [, { length }]) => sum + length, 0);
    const scenarios = Array.from({ length: Math.max(...chosen.map(([, { length }]) => length)) }, (_, at) =>
      Object.fromEntries(chosen.flatMap(([stage, all]) => all.slice(at, at + 1).map((kill) => [stage, kill]))),
    ) as Scenario[];

    const failures: string[] = [];
    let survived = 0;
    const work = async (lane: DeployedLane): Promise<void> => {
      for (let scenario = scenarios.shift(); scenario; scenario = scenarios.shift()) {
        try {
          await liveDeployed(lane, scenario, async (stage) => {
            if (scenario?.[stage]) survived++;
          });
        } catch (error) {
          const failure = `${JSON.stringify(scenario)}: ${error instanceof Error ? error.message : String(error)}`;
          failures.push(failure);
          process.stderr.write(`${failure}\n`);
          await abandonDeployed(lane);
          lane = await open(`again${lanes.length}`);
        }
      }
    };
    const others = Array.from({ length: Math.min(LANES, scenarios.length) - 1 }, (_, at) =>
      open(`lane${at}`).then(work),
    );
    await Promise.all([work(reference), ...others]);

    process.stderr.write(
      `kill sweep of deployments: ${survived} of ${asked}${asked < every ? ` (FULL_SWEEP=1: of ${every})` : ''}\n`,
    );
    expect(failures).toEqual([]);
    expect(survived).toBe(asked);
    for (const lane of lanes) {
      await replayAll(await collectRuns(lane.client, lane.started), inject('stack').workflowBundle);
    }
  },
);
