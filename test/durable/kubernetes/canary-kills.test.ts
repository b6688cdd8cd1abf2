import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineHttpRoutes } from '../../support/kubernetes/gateway-api.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { CANARY_LIFE, type CanaryStage } from '../../support/release/canary-life.ts';
import { type DeployedLane, type DeployedPlace, objectsOf } from '../../support/release/deployed-lives.ts';
import { clusterFolder, clustersIn, deploymentsIn } from '../../support/release/deployments.ts';
import { deployedPlace, sweepDeployments } from '../../support/release/deployment-sweep.ts';
import { seededSample } from '../../support/sample-of-kinds.ts';

/** How many boundaries of each stage are killed in every run. */
const SAMPLE = 1;
/** Kinds before the first change of a cluster are left to the sweep of deployments without canaries. */
const FIRST_CHANGE = 'startDeployment starts';
const SEED = Number(process.env['SWEEP_SEED'] ?? Date.now() % 2 ** 31);

/** Why deployments are undone, for each stage in which one is. */
const WHY: Partial<Record<CanaryStage, RegExp>> = {
  'bad canary': /^The canary did not stay: the canary of api did not become ready/u,
  'bad share': /^The canary did not stay: .*it answered 500/u,
  'bad cluster': /^web did not become ready: .*\(context abroad\)/u,
};

const folder = clusterFolder();
let place: DeployedPlace;

beforeAll(async () => {
  const clusters = await clustersIn(folder.folder, ['home', 'abroad']);
  await defineHttpRoutes(clusters.home);
  place = await deployedPlace(folder, clusters);
}, CLUSTER_BUILD_MS);

afterAll(async () => {
  await place.connection.close();
  await Promise.all(Object.values(place.clusters).map((cluster) => cluster.stop()));
  folder.remove();
});

/** The activities that the flow which has the lock of the environment has scheduled, sorted; a repetition is no new one. */
async function scheduledIn({ client }: DeployedLane): Promise<readonly string[]> {
  const { events } = await client.workflow.getHandle('deploy/local/acme/api/staging').fetchHistory();
  return (events ?? [])
    .flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [])
    .toSorted();
}

test(
  'another machine takes canaries and shares of a route through their steps, or takes them back, in all clusters',
  { timeout: 14_400_000 },
  async () => {
    process.stderr.write(`kill sweep of canaries: SWEEP_SEED=${SEED}\n`);
    const undisturbed = new Map<CanaryStage, readonly string[]>();
    const failures = await sweepDeployments(place, {
      name: 'kill sweep of canaries',
      life: CANARY_LIFE,
      choose: (_stage, all) =>
        seededSample(all.slice(all.findIndex(({ kind }) => kind === FIRST_CHANGE)), SAMPLE, SEED),
      async onStage(lane, stage) {
        const why = (await deploymentsIn(lane, 'staging')).at(-1)?.why ?? '';
        expect(why).toMatch(WHY[stage] ?? /^$/u);
        // no canary, and no share of a route
        expect(JSON.stringify(await objectsOf(lane))).not.toContain('canary');
        const scheduled = await scheduledIn(lane);
        if (!undisturbed.has(stage)) undisturbed.set(stage, scheduled);
        // no step is taken twice
        expect(scheduled).toEqual(undisturbed.get(stage));
      },
    });
    expect(failures).toEqual([]);
  },
);
