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

/**
 * The life of an environment: the next release is deployed and stays, one that is not healthy is put back, and people go
 * back to the first release.
 */
export const STAGES = ['deploy', 'fail', 'go back'] as const;
/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** Where processes are killed in one life: at most once per stage. */
export type Scenario = Partial<Record<Stage, Kill>>;

/** Servers and a cluster that lanes share. */
export interface DeployedPlace extends LanePlace {
  readonly cluster: Cluster;
  /** Of the cluster, with the context `test`. */
  readonly kubeconfig: string;
  /** The file with the key of the role `deploy`. */
  readonly key: string;
  /** The objects that the first life, which nothing disturbed, had after each stage. */
  readonly undisturbed: Map<Stage, unknown>;
}

/** A repository, its ledger, a namespace of the cluster with its first release, and a worker. */
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

const ENVIRONMENTS = (namespace: string): string => `
environments:
  - name: staging
    context: test
    namespace: ${namespace}
    watch: 2s
    services:
      api:
        manifests: {folder: k8s/api}
        hooks:
          before: [{name: migrate, run: ['true'], down: {run: ['true']}, network: false}]
        ready: 120s
      web: {manifests: {folder: k8s/web}, ready: 120s, needs: [api]}
`;

function service(name: string, image: string, mode: string): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}-settings}
data: {mode: ${mode}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: app, image: "${image}"}]}
`;
}

/** An object of one release only: the next one deletes it, or creates it. */
const only = (name: string): string => `---
apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {password: of-${name}}
`;

/** The version that each stage deploys. */
const VERSIONS: Readonly<Record<Stage, string>> = { deploy: 'v1.1.0', fail: 'v1.2.0', 'go back': 'v1.0.0' };

/** A new lane, whose environment has its first release. Its name is a namespace of the cluster. */
export async function openDeployedLane(name: string, place: DeployedPlace): Promise<DeployedLane> {
  const { connection, temporalAddress, superuserUrl, folder, bundle, cluster } = place;
  const namespace = `deployed-${name}`;
  const at = (part: string): string => join(folder, name, part);
  await Promise.all([openNamespace(connection, namespace), cluster.kubectl(['create', 'namespace', name])]);
  const [estate, ledger] = await Promise.all([
    createEstate({
      indexName: 'Unused',
      settings: {
        deploy: {
          key: place.key,
          kubeconfig: place.kubeconfig,
          contexts: { test: { repositories: ['local/acme/*'] } },
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
    ...cluster.env,
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
  await releasedAs({ clone, ledger }, 'v1.0.0', {
    '.longhaul/environments.yaml': ENVIRONMENTS(name),
    'k8s/api/all.yaml': service('api', 'app:1', 'one'),
    'k8s/web/all.yaml': service('web', 'web:1', 'one') + only('before'),
  });
  await releasedAs({ clone, ledger }, 'v1.1.0', {
    'k8s/api/all.yaml': service('api', 'app:2', 'two'),
    'k8s/web/all.yaml': service('web', 'web:2', 'two') + only('now'),
  });
  await releasedAs({ clone, ledger }, 'v1.2.0', {
    'k8s/api/all.yaml': service('api', 'app:3', 'three') + only('then'),
    'k8s/web/all.yaml': service('web', 'web:3-crash', 'three'),
  });
  const worker = await startDoomedWorker(env, 'release');
  const lane = { name, place, estate, ledger, env, client, started, worker, machines: 1 };
  expect(await endOf(lane, { version: 'v1.0.0' })).toBe('completed');
  return lane;
}

/** Runs the life of an environment, with kills; checks what the cluster and the ledger have after each stage. */
export async function liveDeployed(
  lane: DeployedLane,
  scenario: Scenario,
  onStage: (stage: Stage) => Promise<void>,
): Promise<void> {
  const { undisturbed } = lane.place;
  // what is there before belongs to earlier lives
  const [{ last }] = (await lane.ledger.sql('SELECT max(sequence) AS last FROM deployments')) as [{ last: string }];
  for (const stage of STAGES) {
    try {
      const before = await objectsOf(lane);
      await inTime(runStage(lane, stage, scenario[stage] ?? null));
      const objects = await objectsOf(lane);
      if (stage === 'fail') expect(objects).toEqual(before);
      if (!undisturbed.has(stage)) undisturbed.set(stage, objects);
      expect(objects).toEqual(undisturbed.get(stage));
      expect(await releasesOf(lane)).toEqual(stage === 'go back' ? ['v1.0.0'] : ['v1.1.0']);
      expect(await recordedSince(lane, last)).toEqual(
        ['v1.1.0 deployed', 'v1.2.0 undone', 'v1.0.0 deployed'].slice(0, STAGES.indexOf(stage) + 1),
      );
      await onStage(stage);
    } catch (error) {
      const { message, actual = '', expected = '' } = error as Error & { actual?: unknown; expected?: unknown };
      throw new Error(`${stage}: ${message} ${JSON.stringify({ actual, expected })}`, { cause: error });
    }
  }
  // three attempts of a release that did not stay ask a person
  await lane.ledger.sql(`UPDATE deployments SET version = 'v0.' || sequence || '.0' WHERE version = 'v1.2.0'`);
}

/** Runs a stage in which something is killed, and lets the worker of another machine finish it if need be. */
async function runStage(lane: DeployedLane, stage: Stage, kill: Kill | null): Promise<void> {
  const victim = kill?.victim?.();
  await lane.worker.arm(kill && { kind: kill.kind, nth: kill.nth }, victim);
  const ended = endOf(lane, { version: VERSIONS[stage], goBack: stage === 'go back' });
  ended.catch(() => undefined);
  if (kill && victim === undefined) {
    const first = await Promise.race([lane.worker.ended, ended.then(() => null)]);
    if (first !== 'SIGKILL') {
      throw new Error(`${kill.kind} ${kill.nth} was ${first === null ? 'never reached' : `followed by ${first}`}`);
    }
    await replaceWorker(lane);
  }
  expect(await ended).toBe(stage === 'fail' ? 'DeploymentUnhealthy' : 'completed');
  if (victim !== undefined) {
    await expect.poll(() => kill?.victim?.(), { message: `${kill?.kind} was never reached` }).not.toBe(victim);
    await vi.waitFor(() => lane.ledger.sql('SELECT'), { timeout: 60_000, interval: 100 });
  }
  const left = (): number[] => markedProcesses(`TMPDIR=${lane.env['TMPDIR']}`).filter((pid) => pid !== lane.worker.pid);
  await expect.poll(left).toEqual([]);
}

/** Another machine has no file of the one that is gone. */
async function replaceWorker(lane: DeployedLane): Promise<void> {
  await rm(lane.env['LONGHAUL_CACHE_DIR'] ?? '', { recursive: true, force: true });
  lane.worker = await startDoomedWorker(lane.env, 'release');
}

/** How a deployment ends: `completed`, or the name of its failure. */
async function endOf(
  { client }: Pick<DeployedLane, 'client'>,
  { version, goBack = false }: { readonly version: string; readonly goBack?: boolean },
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

/** All objects of the namespace of a lane as kubectl shows them, less its name and the deployment that wrote them. */
async function objectsOf({ name, place: { cluster } }: DeployedLane): Promise<unknown> {
  const text = JSON.stringify(await dumpOf(cluster, name))
    .replaceAll(name, 'NAMESPACE')
    .replaceAll(/"longhaul\/deployment":"[^"]+"/g, '"longhaul/deployment":"ID"');
  return JSON.parse(text) as unknown;
}

/** The releases of the objects of a lane. */
async function releasesOf({ name, place: { cluster } }: DeployedLane): Promise<readonly string[]> {
  const column = '-o=jsonpath={.items[*].metadata.annotations.longhaul/release}';
  const printed = await cluster.kubectl(['get', 'configmaps,secrets,deployments', '-n', name, column]);
  return [...new Set(printed.split(' ').filter((version) => version !== ''))];
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
