import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { loadConfig } from '../activities/shared/config.ts';
import { newKeyFile } from '../activities/release/deployment/sealed.ts';
import { ownersLogins } from '../client/core/ledger.ts';
import { stackVariables } from '../client/core/stack-variables.ts';
import { startDeclared } from '../client/core/start-flow.ts';
import { deployReleaseFlow } from '../domain/release/flows/deploy-flows.ts';
import { longhaul } from '../examples/longhaul.ts';
import { withPostgres } from '../platform/postgres-client.ts';
import { readState } from '../stack/state.ts';
import { type Cluster, startCluster } from '../test/support/kubernetes/cluster.ts';
import { kubectlProgram } from '../test/support/kubernetes/programs.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';

/** Deployments to a Kubernetes apiserver on loopback, against bare kubectl. */
export const deploy: Benchmark = {
  about:
    'deployments of one image and of 50 services ÷ bare kubectl; how soon a bad sample, and a dead worker, are answered',
  measure,
};

const WORKER = fileURLToPath(new URL('../workers/main.ts', import.meta.url));
const REPOSITORY = 'bench/acme/shop';
/** How long pods take in the first comparison. */
const SLOW_SECONDS = 20;
/** Chains of services, and services of each; how long the pods of each take. */
const [CHAINS, LENGTH, CHAIN_SECONDS] = [10, 5, 2];

async function measure(context: BenchContext): Promise<Figure[]> {
  const bench = await openBench(context);
  try {
    const values = {
      slow: [] as number[],
      ready: [] as number[],
      answer: [] as number[],
      many: [] as number[],
      takeover: [] as number[],
    };
    // the first one makes the namespace's objects, and loads modules
    await bench.deploy('one', one('app:0'));
    await bench.cluster.apply(workload('app', 'app:0'), '--namespace=bare');
    for (let run = 0; run < context.runs; run++) {
      const slow = `-slow${SLOW_SECONDS}s`;
      const bareSlow = await bareSeconds(bench, `app:bare${run}${slow}`);
      values.slow.push((await bench.deploy('one', one(`app:own${run}${slow}`))) / bareSlow);
      const bareReady = await bareSeconds(bench, `app:quick${run}`);
      values.ready.push((await bench.deploy('one', one(`app:ready${run}`))) - bareReady);
      values.answer.push(await secondsToUndo(bench, run));
      await bench.deploy('many', many(`${run}a`, 1));
      const chain = await bench.deploy('many', many(`${run}b`, 1));
      await bench.deploy('many', many(`${run}a`, CHAINS));
      values.many.push((await bench.deploy('many', many(`${run}b`, CHAINS))) / chain);
      values.takeover.push(await secondsToTakeOver(bench, run));
    }
    return [
      {
        what: `one image, pods take ${SLOW_SECONDS} s ÷ kubectl set image + rollout status`,
        unit: '×',
        values: values.slow,
        bar: '≤ 1.2',
      },
      { what: 'one image, pods ready at once − the same, plan included', unit: 's', values: values.ready, bar: '≤ 3' },
      { what: 'from the sample that decides to the first undo', unit: 's', values: values.answer, bar: '≤ 2' },
      {
        what: `${CHAINS * LENGTH} services in order of needs ÷ the longest chain alone`,
        unit: '×',
        values: values.many,
        bar: '≤ 1.5',
      },
      {
        what: 'SIGKILL of the deploying worker to the next command of its successor',
        unit: 's',
        values: values.takeover,
        bar: '≤ 30',
      },
    ];
  } finally {
    await bench.close();
  }
}

/** Servers, workers and a cluster. */
interface Bench {
  readonly cluster: Cluster;
  readonly client: Client;
  /** Makes a release with these files and deploys it to an environment. Returns its seconds; rejects when it fails. */
  deploy(environment: string, files: Readonly<Record<string, string>>): Promise<number>;
  /** The same, and returns at once. */
  begin(environment: string, files: Readonly<Record<string, string>>): Promise<{ readonly ended: Promise<unknown> }>;
  /** Runs a statement with the login of the ledger's owner. */
  sql<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The processes of the role `deploy`. */
  readonly workers: Set<ChildProcess>;
  startWorker(): ChildProcess;
  close(): Promise<void>;
}

async function openBench({ dir, signal, note }: BenchContext): Promise<Bench> {
  // programs of the repository enter it as another user
  await chmod(dir, 0o711);
  note('starting a cluster');
  const cluster = await startCluster(join(dir, 'cluster'), { visitors: 0 });
  const dataDir = join(dir, 'data');
  const config = join(dir, 'longhaul.yaml');
  const key = join(dir, 'deploy.key');
  const remote = join(dir, 'remotes', 'acme', 'shop.git');
  const clone = join(dir, 'clone');
  const context = (await cluster.kubectl(['config', 'current-context'])).trim();
  for (const environment of ['one', 'many', 'sick', 'bare'])
    await cluster.kubectl(['create', 'namespace', environment]);
  await writeFile(key, await newKeyFile(), { mode: 0o600 });
  const git = (...args: string[]): Promise<unknown> =>
    execa('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], { cwd: dir });
  await git('init', '--quiet', '--bare', '--initial-branch=main', remote);
  await git('clone', '--quiet', remote, clone);
  const addresses = cluster.service === null ? [] : [new URL(cluster.service).origin];
  await writeFile(
    config,
    stringify({
      providers: [{ name: 'bench', type: 'local', root: join(dir, 'remotes') }],
      deploy: {
        key,
        kubeconfig: cluster.kubeconfig,
        kubectl: await kubectlProgram(),
        contexts: { [context]: { repositories: ['bench/acme/*'], addresses } },
      },
    }),
  );
  await longhaul(['up', '--detach'], { config, dataDir, signal });
  const workers = new Set<ChildProcess>();
  const { config: settings } = loadConfig({ path: config, env: process.env });
  const env = {
    ...process.env,
    ...(await stackVariables({ config: settings, dataDir, env: process.env })),
    LONGHAUL_CONFIG: config,
    LONGHAUL_DATA_DIR: dataDir,
  };
  const startWorker = (): ChildProcess => {
    const child = spawn(process.execPath, [WORKER, '--roles', 'deploy'], { env, stdio: 'ignore', detached: true });
    workers.add(child);
    child.once('exit', () => workers.delete(child));
    return child;
  };
  startWorker();
  const { temporal } = readState(dataDir);
  if (temporal === null) throw new Error('there is no Temporal');
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  const { owner } = await ownersLogins({ dataDir, env: process.env });
  const sql = <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    withPostgres(owner, async (database) => (await database.query(text, [...values])).rows as Row[]);
  const front = `${cluster.service ?? ''}/sick/app/`;
  let releases = 0;
  const begin: Bench['begin'] = async (environment, files) => {
    const version = `v1.${(releases += 1)}.0`;
    const all = { ...files, '.longhaul/environments.yaml': environmentsOf(context, front, files) };
    for (const [path, text] of Object.entries(all)) {
      await mkdir(join(clone, path, '..'), { recursive: true });
      await writeFile(join(clone, path), text);
    }
    await git('-C', clone, 'add', '--all');
    await git('-C', clone, 'commit', '--quiet', '-m', version);
    await git('-C', clone, 'push', '--quiet', 'origin', 'HEAD');
    const { stdout: commit } = await execa('git', ['rev-parse', 'HEAD'], { cwd: clone });
    await sql(
      `INSERT INTO longhaul.generations (generation_id, repository, version, status, contract, contract_digest, commit,
         tag, created_by, promoted_at, promoted_by)
       VALUES ($1, $2, $3, 'promoted', '{}', $4, $5, $3, 'bench', now(), 'bench')`,
      [`gen-${String(releases).padStart(12, '0')}`, REPOSITORY, version, 'a'.repeat(64), commit],
    );
    const input = { repository: REPOSITORY, version, environment, by: 'bench' };
    const flow = await startDeclared(client, deployReleaseFlow, input);
    const ended = flow.result();
    ended.catch(() => undefined);
    return { ended };
  };
  return {
    cluster,
    client,
    sql,
    workers,
    startWorker,
    begin,
    async deploy(environment, files) {
      const { seconds } = await timed(async () => (await begin(environment, files)).ended);
      return seconds;
    },
    async close() {
      for (const worker of workers) await end(worker, 'SIGTERM');
      await connection.close();
      await longhaul(['down'], { config, dataDir });
      await cluster.stop();
    },
  };
}

/** Ends a worker, with its child processes. */
async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(worker, 'exit');
  process.kill(-(worker.pid ?? 0), signal);
  await ended;
}

function environmentsOf(context: string, front: string, files: Readonly<Record<string, string>>): string {
  const chained = Object.keys(files).flatMap((path) => /^k8s\/(c(\d+)-(\d+))\//.exec(path)?.[1] ?? []);
  const services = Object.fromEntries(
    chained.map((name) => {
      const [chain = '', at = ''] = name.split('-');
      return [
        name,
        { manifests: { folder: `k8s/${name}` }, ...(at === '0' ? {} : { needs: [`${chain}-${Number(at) - 1}`] }) },
      ];
    }),
  );
  const app = { manifests: { folder: 'k8s/app' } };
  const place = { context, watch: '1s' };
  return stringify({
    environments: [
      { ...place, name: 'one', namespace: 'one', services: { app } },
      ...(chained.length === 0 ? [] : [{ ...place, name: 'many', namespace: 'many', services }]),
      {
        ...place,
        name: 'sick',
        namespace: 'sick',
        watch: '60s',
        failed_checks: 1,
        services: { app: { ...app, health: [{ name: 'front', http: front, interval: '1s' }] } },
      },
    ],
  });
}

function workload(name: string, image: string): string {
  const labels = { app: name };
  const objects = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
  return objects.map((object) => stringify(object)).join('---\n');
}

function one(image: string): Readonly<Record<string, string>> {
  return { 'k8s/app/all.yaml': workload('app', image) };
}

function many(tag: string, chains: number): Readonly<Record<string, string>> {
  const names = Array.from({ length: chains }, (_c, chain) =>
    Array.from({ length: LENGTH }, (_s, at) => `c${chain}-${at}`),
  ).flat();
  return Object.fromEntries(
    names.map((name) => [`k8s/${name}/all.yaml`, workload(name, `app:${tag}-slow${CHAIN_SECONDS}s`)]),
  );
}

/** Seconds of `kubectl set image` and `kubectl rollout status` of the same workload. */
async function bareSeconds({ cluster }: Bench, image: string): Promise<number> {
  const { seconds } = await timed(async () => {
    await cluster.kubectl(['set', 'image', 'deployment/app', `app=${image}`, '--namespace=bare']);
    await cluster.kubectl(['rollout', 'status', 'deployment/app', '--namespace=bare']);
  });
  return seconds;
}

/** Seconds from the health check that fails to the first command of the undo, by the flow's history. */
async function secondsToUndo(bench: Bench, run: number): Promise<number> {
  await bench.deploy('sick', one(`app:well${run}`));
  const { ended } = await bench.begin('sick', one(`app:sick${run}-errors100`));
  const type = await ended.then(
    () => 'none',
    // of the flow, whose child failed
    ({ cause }: { readonly cause?: { readonly cause?: { readonly type?: string } } }) => cause?.cause?.type,
  );
  mustEqual('the failure', type, 'DeploymentUnhealthy');
  const [{ at }] = (await bench.sql<{ readonly at: Date }>(
    `SELECT max(taken_at) AS at FROM longhaul.deployment_samples WHERE verdict = 'bad' AND deployment_id =
       (SELECT deployment_id FROM longhaul.deployments WHERE environment = 'sick' ORDER BY sequence DESC LIMIT 1)`,
  )) as [{ readonly at: Date }];
  const { events } = await bench.client.workflow.getHandle(`deploy/${REPOSITORY}/sick`).fetchHistory();
  const undo = events?.find(
    ({ activityTaskScheduledEventAttributes: asked }) => asked?.activityType?.name === 'undoObjects',
  )?.eventId;
  const started = events?.find(({ activityTaskStartedEventAttributes: begun }) =>
    begun?.scheduledEventId?.equals(undo ?? 0),
  );
  const { seconds, nanos } = started?.eventTime ?? {};
  return Number(seconds) + (nanos ?? 0) / 1e9 - at.getTime() / 1_000;
}

/** Seconds from the death of the worker that waits for pods to the start of the next attempt by another one. */
async function secondsToTakeOver(bench: Bench, run: number): Promise<number> {
  const second = bench.startWorker();
  const { ended } = await bench.begin('one', one(`app:taken${run}-slow40s`));
  const handle = bench.client.workflow.getHandle(`deploy/${REPOSITORY}/one`);
  const waiting = async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'awaitReady');
  };
  let pending = await waiting();
  for (; pending?.lastStartedTime == null; pending = await waiting()) await pause(200);
  const identity = pending.lastWorkerIdentity ?? '';
  const victim = [...bench.workers].find(({ pid }) => pid === Number(identity.split('@')[0]));
  if (victim === undefined) throw new Error(`no worker has the identity ${identity}`);
  const killed = Date.now();
  await end(victim, 'SIGKILL');
  for (; pending?.lastWorkerIdentity === identity; pending = await waiting()) await pause(100);
  const taken = Date.now();
  await ended;
  if (bench.workers.size > 1) await end(second, 'SIGTERM');
  return (taken - killed) / 1_000;
}
