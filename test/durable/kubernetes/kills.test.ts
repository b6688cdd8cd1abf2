import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import type { DeployedPlace } from '../../support/release/deployed-lives.ts';
import { clusterFolder, clusterIn } from '../../support/release/deployments.ts';
import { deployedPlace, sweepDeployments } from '../../support/release/deployment-sweep.ts';
import { PLAIN_LIFE, type PlainStage } from '../../support/release/plain-life.ts';
import { sampleWithKinds } from '../../support/sample-of-kinds.ts';

/** The last boundary of each of these kinds is killed in every run. */
const ALWAYS: Readonly<Record<PlainStage, readonly string[]>> = {
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

const folder = clusterFolder();
let place: DeployedPlace;

beforeAll(async () => {
  place = await deployedPlace(folder, { test: await clusterIn(folder.folder) });
}, CLUSTER_BUILD_MS);

afterAll(async () => {
  await place.connection.close();
  await place.clusters['test']?.stop();
  folder.remove();
});

test(
  'another machine carries out, or undoes, what a killed worker has begun: the cluster and the ledger agree',
  { timeout: 14_400_000 },
  async () => {
    const failures = await sweepDeployments(place, {
      name: 'kill sweep of deployments',
      life: PLAIN_LIFE,
      choose: (stage, all) => sampleWithKinds(all, ALWAYS[stage], SAMPLE),
    });
    expect(failures).toEqual([]);
  },
);
