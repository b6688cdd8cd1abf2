import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, isGrpcServiceError } from '@temporalio/client';
import { expect, vi } from 'vitest';
import { startDeclared } from '../../../client/core/start-flow.ts';
import { deployReleaseFlow } from '../../../domain/release/flows/deploy-flows.ts';
import { markedProcesses } from '../../../platform/marked-processes.ts';
import { inTime, startDoomedWorker, type DoomedWorker } from '../doomed-process.ts';
import { createEstate, type Estate } from '../estate.ts';
import { impatientStarts, openNamespace } from '../impatient.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { createTestLedger, type TestLedger } from '../ledger.ts';
import { git } from '../scratch-git.ts';
import { dumpOf, releasedAs } from './deployments.ts';
import type { Kill, LanePlace } from './lives.ts';
import { REPOSITORY } from './releases.ts';

/** A deployment of a life. */
export interface DeployedStage {
  readonly version: string;
  /** True for one that is not healthy, and is put back. @default false */
  readonly isUndone?: boolean;
  /** True for one that goes back to the first release. @default false */
  readonly goBack?: boolean;
}

/** What happens to an environment again and again: after the last stage it is as before the first one. */
export interface DeployedLife<Stage extends string> {
  /** The stages by name, in their order. */
  readonly stages: Readonly<Record<Stage, DeployedStage>>;
  /** The releases by version; each has the files of those before it, too. The environment starts with the first one. */
  releases(lane: Pick<DeployedLane, 'name' | 'place'>): Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Where processes are killed in one life: at most once per stage. */
export type Scenario<Stage extends string> = Partial<Record<Stage, Kill>>;

/** Servers and clusters that lanes share. */
export interface DeployedPlace extends LanePlace {
  /** By their contexts. */
  readonly clusters: Readonly<Record<string, Cluster>>;
  /** Of the clusters, with these contexts. */
  readonly kubeconfig: string;
  /** The file with the key of the role `deploy`. */
  readonly key: string;
  /** The objects that the first life, which nothing disturbed, had after each stage. */
  readonly undisturbed: Map<string, unknown>;
}

/** A repository, its ledger, a namespace of each cluster, an environment with its first release, and a worker. */
export interface DeployedLane {
  readonly name: string;
  readonly place: DeployedPlace;
  readonly estate: Estate;
  readonly ledger: TestLedger;
  readonly env: NodeJS.ProcessEnv;
  readonly client: Client;
  readonly started: [string, string][];
  worker: DoomedWorker;
  /** Machines so far: each killed worker is followed by one of another machine. */
  machines: number;
}

/** A new lane, whose environment has its first release. Its name is a namespace of each cluster. */
export async function openDeployedLane(
  name: string,
  place: DeployedPlace,
  life: Pick<DeployedLife<string>, 'releases'>,
): Promise<DeployedLane> {
  const { connection, temporalAddress, superuserUrl, folder, bundle } = place;
  const clusters = Object.entries(place.clusters);
  const namespace = `deployed-${name}`;
  const at = (part: string): string => join(folder, name, part);
  await Promise.all([
    openNamespace(connection, namespace),
    ...clusters.map(([, cluster]) => cluster.kubectl(['create', 'namespace', name])),
  ]);
  const addresses = clusters.map(([, { service }]) => service ?? '');
  const [estate, ledger] = await Promise.all([
    createEstate({
      indexName: 'Unused',
      settings: {
        deploy: {
          key: place.key,
          kubeconfig: place.kubeconfig,
          contexts: Object.fromEntries(
            clusters.map(([context]) => [context, { repositories: ['local/acme/*'], addresses }]),
          ),
        },
      },
    }),
    createTestLedger({ superuserUrl }),
  ]);
  await estate.create('acme/api', { 'README.md': 'an api\n' });
  const clone = at('clone');
  await mkdir(at('scratch'), { recursive: true });
  git(folder, 'clone', '--quiet', estate.gitDir('acme/api'), clone);
  const env = {
    ...clusters[0]?.[1].env,
    HOME: process.env['HOME'],
    KUBECACHEDIR: at('kubectl'),
    TMPDIR: at('scratch'),
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    DATABASE_WRITER_URL: ledger.logins.writer,
    LONGHAUL_CONFIG: estate.configPath,
    LONGHAUL_CACHE_DIR: at('cache'),
    DOOMED_BUNDLE: bundle,
    DOOMED_DEPLOY: '1',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(folder, 'compiled'),
  };
  const started: [string, string][] = [];
  const client = new Client({ connection, namespace, interceptors: { workflow: [impatientStarts(started)] } });
  const releases = Object.entries(life.releases({ name, place }));
  for (const [version, files] of releases) await releasedAs({ clone, ledger }, version, files);
  const worker = await startDoomedWorker(env, 'release');
  const lane = { name, place, estate, ledger, env, client, started, worker, machines: 1 };
  expect(await endOf(lane, { version: releases[0]?.[0] ?? '' })).toBe('completed');
  return lane;
}

/**
 * Runs the life of an environment, with kills; checks what the clusters and the ledger have after each stage. A stage is not
 * killed whose work ends before it reaches the boundary.
 */
export async function liveDeployed<Stage extends string>(
  lane: DeployedLane,
  { stages }: DeployedLife<Stage>,
  scenario: Scenario<Stage>,
  onStage: (stage: Stage, wasKilled: boolean) => Promise<void>,
): Promise<void> {
  const { undisturbed } = lane.place;
  // what is there before belongs to earlier lives
  const [{ last }] = (await lane.ledger.sql('SELECT max(sequence) AS last FROM deployments')) as [{ last: string }];
  const recorded: string[] = [];
  for (const [stage, { version, isUndone = false, ...more }] of Object.entries(stages) as [Stage, DeployedStage][]) {
    try {
      const [before, releases] = [await objectsOf(lane), await releasesOf(lane)];
      const wasKilled = await inTime(runStage(lane, { version, isUndone, ...more }, scenario[stage] ?? null));
      const objects = await objectsOf(lane);
      if (isUndone) expect(objects).toEqual(before);
      if (!undisturbed.has(stage)) undisturbed.set(stage, withoutAddresses(objects));
      expect(withoutAddresses(objects)).toEqual(undisturbed.get(stage));
      expect(await releasesOf(lane)).toEqual(isUndone ? releases : [version]);
      recorded.push(`${version} ${isUndone ? 'undone' : 'deployed'}`);
      expect(await recordedSince(lane, last)).toEqual(recorded);
      await onStage(stage, wasKilled);
    } catch (error) {
      const { message, actual = '', expected = '' } = error as Error & { actual?: unknown; expected?: unknown };
      throw new Error(`${stage}: ${message} ${JSON.stringify({ actual, expected })}`, { cause: error });
    }
  }
  // three attempts of a release that did not stay ask a person
  await lane.ledger.sql(`UPDATE deployments SET version = 'v0.' || sequence || '.0' WHERE status = 'undone'`);
}

/**
 * Runs a stage in which something is killed, and lets the worker of another machine finish it if need be. False when it
 * does not reach the boundary.
 */
async function runStage(lane: DeployedLane, stage: DeployedStage, kill: Kill | null): Promise<boolean> {
  const victim = kill?.victim?.();
  await lane.worker.arm(kill && { kind: kill.kind, nth: kill.nth }, victim);
  const ended = endOf(lane, stage);
  ended.catch(() => undefined);
  let wasKilled = kill !== null;
  if (kill && victim === undefined) {
    const first = await Promise.race([lane.worker.ended, ended.then(() => null)]);
    wasKilled = first !== null;
    if (first !== null && first !== 'SIGKILL') throw new Error(`${kill.kind} ${kill.nth} was followed by ${first}`);
    if (wasKilled) await replaceWorker(lane);
  }
  expect(await ended).toBe(stage.isUndone ? 'DeploymentUnhealthy' : 'completed');
  if (victim !== undefined) {
    await expect.poll(() => kill?.victim?.(), { message: `${kill?.kind} was never reached` }).not.toBe(victim);
    await vi.waitFor(() => lane.ledger.sql('SELECT'), { timeout: 60_000, interval: 100 });
  }
  const left = (): number[] => markedProcesses(`TMPDIR=${lane.env['TMPDIR']}`).filter((pid) => pid !== lane.worker.pid);
  await expect.poll(left).toEqual([]);
  return wasKilled;
}

/** Another machine has no file of the one that is gone. */
async function replaceWorker(lane: DeployedLane): Promise<void> {
  await rm(lane.env['LONGHAUL_CACHE_DIR'] ?? '', { recursive: true, force: true });
  lane.worker = await startDoomedWorker(lane.env, 'release');
}

/** How a deployment ends: `completed`, or the name of its failure. */
async function endOf(
  { client }: Pick<DeployedLane, 'client'>,
  { version, goBack = false }: Pick<DeployedStage, 'version' | 'goBack'>,
): Promise<string> {
  const input = { repository: REPOSITORY, environment: 'staging', version, goBack, by: 'ada' };
  const flow = await startDeclared(client, deployReleaseFlow, input);
  for (;;) {
    try {
      await flow.result();
      return 'completed';
    } catch (error) {
      // the server was killed
      if (!isGrpcServiceError(error)) return nameOf(error);
      await pause(200);
    }
  }
}

function nameOf(error: unknown): string {
  for (let cause = error; cause !== undefined; cause = (cause as { cause?: unknown }).cause) {
    const { type } = cause as { type?: string };
    if (type !== undefined) return type;
  }
  return String(error);
}

/** All objects of a lane as kubectl shows them, less its name and the deployment that wrote them, by context. */
export async function objectsOf({ name, place: { clusters } }: DeployedLane): Promise<unknown> {
  const dumps = Object.entries(clusters).map(async ([context, cluster]) => [context, await dumpOf(cluster, name)]);
  const text = JSON.stringify(Object.fromEntries(await Promise.all(dumps)))
    .replaceAll(name, 'NAMESPACE')
    .replaceAll(/"longhaul\/deployment":"[^"]+"/g, '"longhaul/deployment":"ID"');
  return JSON.parse(text) as unknown;
}

/** Objects less the addresses that a cluster gives to Services: each lane has others. */
function withoutAddresses(objects: unknown): unknown {
  return JSON.parse(JSON.stringify(objects).replaceAll(/"\d+\.\d+\.\d+\.\d+"/g, '"ADDRESS"')) as unknown;
}

/** The releases of the objects of a lane. */
async function releasesOf({ name, place: { clusters } }: DeployedLane): Promise<readonly string[]> {
  const column = '-o=jsonpath={.items[*].metadata.annotations.longhaul/release}';
  const printed = await Promise.all(
    Object.values(clusters).map((cluster) =>
      cluster.kubectl(['get', 'configmaps,secrets,deployments', '-n', name, column]),
    ),
  );
  return [
    ...new Set(
      printed
        .join(' ')
        .split(' ')
        .filter((version) => version !== ''),
    ),
  ];
}

async function recordedSince({ ledger }: DeployedLane, last: string): Promise<readonly string[]> {
  const rows = await ledger.sql<{ version: string; status: string }>(
    'SELECT version, status FROM deployments WHERE sequence > $1 ORDER BY sequence',
    [last],
  );
  return rows.map(({ version, status }) => `${version} ${status}`);
}

/** Abandons a scenario: terminates its flows, and ends its worker. */
export async function abandonDeployed(lane: DeployedLane): Promise<void> {
  await lane.worker.kill();
  for await (const { workflowId, runId } of lane.client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    await lane.client.workflow
      .getHandle(workflowId, runId)
      .terminate()
      .catch(() => undefined);
  }
}

/** Ends the worker of a lane, and deletes its repository and ledger. */
export async function closeDeployedLane({ worker, ledger, estate }: DeployedLane): Promise<void> {
  await worker.kill();
  await Promise.all([ledger.dispose(), estate.dispose()]);
}
