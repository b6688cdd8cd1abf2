import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { expect, inject } from 'vitest';
import { newKeyFile } from '../../../activities/release/deployment/sealed.ts';
import { type Boundary, boundariesOf } from '../doomed-process.ts';
import { impatientBundle } from '../impatient.ts';
import { collectRuns } from '../recorded-runs.ts';
import { replayAll } from '../replay.ts';
import {
  abandonDeployed,
  closeDeployedLane,
  type DeployedLane,
  type DeployedLife,
  type DeployedPlace,
  liveDeployed,
  openDeployedLane,
  type Scenario,
} from './deployed-lives.ts';

/** What a sweep goes through, and how. */
export interface DeploymentSweep<Stage extends string> {
  /** What is printed in the end: `kill sweep of deployments`. */
  readonly name: string;
  readonly life: DeployedLife<Stage>;
  /** The boundaries of a stage to kill at, of all that it has. */
  choose(stage: Stage, all: readonly Boundary[]): readonly Boundary[];
  /** Called after each stage, also the undisturbed ones. @default nothing */
  onStage?(lane: DeployedLane, stage: Stage): Promise<void>;
}

/** Lives at a time: the detection of a dead worker, and readiness, take a while, but no processor time. */
const LANES = 4;

/** The place of lanes with these clusters, whose kubeconfig and files are in a folder. */
export async function deployedPlace(
  { folder, kubeconfig }: { readonly folder: string; readonly kubeconfig: string },
  clusters: DeployedPlace['clusters'],
): Promise<DeployedPlace> {
  const { temporalAddress, superuserUrl } = inject('stack');
  const key = join(folder, 'deploy.key');
  writeFileSync(key, await newKeyFile(), { mode: 0o600 });
  mkdirSync(join(folder, 'lanes'));
  return {
    connection: await Connection.connect({ address: temporalAddress }),
    temporalAddress,
    superuserUrl,
    folder: join(folder, 'lanes'),
    bundle: await impatientBundle(folder),
    clusters,
    kubeconfig,
    key,
    undisturbed: new Map(),
  };
}

/**
 * Goes through an undisturbed life, which counts the boundaries, and then through others with a kill in each stage, until
 * the worker was killed at each chosen boundary. Prints how many of the kills the deployments survived, and replays all
 * flows. Returns what failed.
 */
export async function sweepDeployments<Stage extends string>(
  place: DeployedPlace,
  { name, life, choose, onStage }: DeploymentSweep<Stage>,
): Promise<readonly string[]> {
  const lanes: DeployedLane[] = [];
  const open = async (laneName: string): Promise<DeployedLane> => {
    const lane = await openDeployedLane(laneName, place, life);
    lanes.push(lane);
    return lane;
  };
  try {
    const reference = await open('reference');
    const boundaries: [Stage, readonly Boundary[]][] = [];
    await liveDeployed(reference, life, {}, async (stage) => {
      boundaries.push([stage, boundariesOf(await reference.worker.report())]);
      await onStage?.(reference, stage);
    });
    const every = countOf(boundaries);
    const chosen = boundaries.map(([stage, all]): [Stage, readonly Boundary[]] => [
      stage,
      process.env['FULL_SWEEP'] === '1' ? all : choose(stage, all),
    ]);
    const asked = countOf(chosen);
    const scenarios = Array.from({ length: Math.max(...chosen.map(([, { length }]) => length)) }, (_, at) =>
      Object.fromEntries(chosen.flatMap(([stage, all]) => all.slice(at, at + 1).map((kill) => [stage, kill]))),
    ) as Scenario<Stage>[];

    const failures: string[] = [];
    let survived = 0;
    const work = async (lane: DeployedLane): Promise<void> => {
      for (let scenario = scenarios.shift(); scenario; scenario = scenarios.shift()) {
        try {
          await liveDeployed(lane, life, scenario, async (stage, wasKilled) => {
            await onStage?.(lane, stage);
            if (wasKilled) survived++;
            else if (scenario?.[stage]) scenarios.push(earlier(stage, scenario[stage]));
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

    process.stderr.write(`${name}: ${survived} of ${asked}${asked < every ? ` (FULL_SWEEP=1: of ${every})` : ''}\n`);
    if (failures.length === 0) expect(survived).toBe(asked);
    for (const lane of lanes) {
      await replayAll(await collectRuns(lane.client, lane.started), inject('stack').workflowBundle);
    }
    return failures;
  } finally {
    await Promise.all(lanes.map(closeDeployedLane));
  }
}

/**
 * The boundary before one that was not reached: how often a cluster is asked whether something is ready, and how often a
 * write is repeated, is not the same each time.
 */
function earlier<Stage extends string>(stage: Stage, { kind, nth }: Boundary): Scenario<Stage> {
  if (nth === 1) throw new Error(`${kind} was never reached`);
  return { [stage]: { kind, nth: nth - 1 } } as Scenario<Stage>;
}

function countOf(boundaries: readonly (readonly [string, readonly Boundary[]])[]): number {
  return boundaries.reduce((sum, [, { length }]) => sum + length, 0);
}
