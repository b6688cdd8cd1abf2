import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { styleText } from 'node:util';
import { parse, stringify } from 'yaml';
import { startCluster } from '../test/support/kubernetes/cluster.ts';
import type { Cluster } from '../test/support/kubernetes/cluster.ts';
import { kubectlProgram } from '../test/support/kubernetes/programs.ts';
import { environmentsOf, generationOf, manifestsOf, PIPELINE, SERVICES, VERSIONS } from './deploy-contracts.ts';
import type { DeployedVersion } from './deploy-contracts.ts';
import { git } from './git.ts';
import { BIN } from './longhaul.ts';
import { announce, openPlace } from './place.ts';
import type { Place } from './place.ts';
import { PROVIDER } from './release.ts';
import { deploymentRows } from './results.schema.ts';
import type { Stages } from './stages.ts';

/** Where deployments are shown. */
export interface DeployScene {
  /** The folder of the remotes: bare repositories, one for each run. */
  readonly remotes: string;
  /** The folder of the clones. */
  readonly clones: string;
  /** The folder of the cluster. */
  readonly cluster: string;
  /** The kubeconfig, and the key, of the role `deploy`. */
  readonly kubeconfig: string;
  readonly key: string;
  /** The file for the logs of the workers of that role. */
  readonly log: string;
}

/** How deployments are shown. */
export interface ShowDeploymentsOptions {
  readonly config: string;
  readonly dataDir: string;
  readonly deploy: DeployScene;
  readonly stages: Stages;
  readonly signal: AbortSignal;
}

/** Deployments that were shown. */
export interface ShownDeployments {
  /** The id of the repository. */
  readonly repository: string;
  /** What the cluster or the ledger should hold and does not; empty when all is as it should be. */
  readonly problems: readonly string[];
}

/** The name of the context of the kubeconfig. */
export const CONTEXT = 'loopback';

/**
 * Deploys releases of a small shop to a Kubernetes apiserver on loopback, as docs/deploy.md describes it: one that stays,
 * one that is not healthy and is undone, and one whose worker is killed in the middle. Each command is printed with its
 * output. At the end kubectl and SQL say what the cluster and the ledger hold. Rejects with `CommandFailed` when a command
 * ends with another exit code than it should.
 */
export async function showDeployments(options: ShowDeploymentsOptions): Promise<ShownDeployments> {
  const { stages, deploy } = options;
  const cluster = await stages.stage(
    'start a cluster',
    () => openCluster(options),
    () => `a Kubernetes apiserver with its controllers, ${CONTEXT} in ${deploy.kubeconfig}`,
  );
  let deployer: Deployer | null = null;
  try {
    const place = await stages.stage(
      'make the repository',
      () => makePlace(options, cluster),
      ({ remote }) => remote,
    );
    await ensureKey(place, deploy.key);
    deployer = startDeployer(options);
    const { first, broken, mended } = VERSIONS;

    await stages.stage(
      `release ${first.version}`,
      () => releaseOf(place, first),
      () => 'promoted',
    );
    await stages.stage(
      `deploy ${first.version}`,
      async () => {
        await place.longhaul('deploy', first.version, '--env', 'staging', '--dry-run');
        await place.longhaul('deploy', first.version, '--env', 'staging');
      },
      () => 'it is healthy, and stays',
    );
    const before = await objectsIn(cluster, place.namespace);

    await stages.stage(
      `release ${broken.version}`,
      () => releaseOf(place, broken),
      () => 'promoted',
    );
    await stages.stage(
      `deploy ${broken.version}, whose second service does not start`,
      () => place.longhaulEndingWith(11, 'deploy', broken.version, '--env', 'staging'),
      () => 'it is not healthy: both services are put back',
    );
    const undone = await objectsIn(cluster, place.namespace);

    await stages.stage(
      `release ${mended.version}`,
      () => releaseOf(place, mended),
      () => 'promoted',
    );
    deployer = await stages.stage(
      `deploy ${mended.version}, and kill the worker that deploys it`,
      () => deployThroughKill(options, { place, cluster, deployer: deployer as Deployer }),
      ({ pid }) => `the worker ${pid} has carried it out`,
    );
    const problems = await stages.stage(
      'what the cluster and the ledger hold',
      () => findProblems(place, cluster, undone === before),
      (found) => (found.length === 0 ? 'all as it should be, by kubectl and SQL' : `${found.length} problems`),
    );
    return { repository: place.repository, problems };
  } finally {
    await deployer?.end('SIGTERM');
    await cluster.stop();
  }
}

/** A repository whose releases have a namespace of their own. */
type DeployPlace = Place & { readonly namespace: string };

/** Starts the cluster, and allows its use in the configuration of the worker. */
async function openCluster({ config: file, deploy }: ShowDeploymentsOptions): Promise<Cluster> {
  const { cluster: folder, kubeconfig, key } = deploy;
  const cluster = await startCluster(folder);
  const config = JSON.parse(await cluster.kubectl(['config', 'view', '--raw', '--output=json'])) as {
    readonly contexts: readonly { readonly name: string; readonly context: object }[];
  };
  const [context] = config.contexts;
  await writeFile(kubeconfig, JSON.stringify({ ...config, contexts: [{ ...context, name: CONTEXT }] }), {
    mode: 0o600,
  });
  const addresses = cluster.service === null ? [] : [new URL(cluster.service).origin];
  const section = {
    key,
    kubeconfig,
    kubectl: await kubectlProgram(),
    contexts: { [CONTEXT]: { repositories: [`${PROVIDER}/acme/*`], addresses } },
  };
  const settings = parse(await readFile(file, 'utf8')) as object;
  await writeFile(`${file}.new`, stringify({ ...settings, deploy: section }));
  await rename(`${file}.new`, file);
  return cluster;
}

async function makePlace(
  { deploy, config, dataDir, signal }: ShowDeploymentsOptions,
  cluster: Cluster,
): Promise<DeployPlace> {
  const { remotes, clones } = deploy;
  const folder = join(remotes, 'acme');
  await mkdir(folder, { recursive: true });
  await mkdir(clones, { recursive: true });
  const numbers = (await readdir(folder)).map((entry) => Number(/-(\d+)\.git$/.exec(entry)?.[1] ?? 0));
  const name = `shop-${Math.max(0, ...numbers) + 1}`;
  const remote = join(folder, `${name}.git`);
  const clone = join(clones, name);
  await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', remote], signal);
  await git(['clone', '--quiet', remote, clone], signal);
  await git(['-C', clone, 'config', 'user.name', 'Ada'], signal);
  await git(['-C', clone, 'config', 'user.email', 'ada@example.invalid'], signal);
  const repository = `${PROVIDER}/acme/${name}`;
  const place = openPlace({ repository, remote, clone, config, dataDir, signal });
  await cluster.kubectl(['create', 'namespace', name]);
  await place.write(
    '.longhaul/environments.yaml',
    environmentsOf(name, CONTEXT, `${cluster.service ?? ''}/${name}/web/`),
  );
  await place.write('.longhaul/pipelines/full-ci.yaml', PIPELINE);
  return { ...place, namespace: name };
}

/** Makes the key of the role `deploy`, once. */
async function ensureKey({ longhaul }: Place, file: string): Promise<void> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await writeFile(`${file}.new`, await longhaul('environments', 'key'), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** A worker of the role `deploy`. */
interface Deployer {
  readonly pid: number;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** `longhaul up` starts none: it runs where kubectl and the kubeconfig are. */
function startDeployer({ config, dataDir, deploy }: ShowDeploymentsOptions): Deployer {
  const args = ['worker', '--roles', 'deploy'];
  announce('longhaul', args);
  const log = openSync(deploy.log, 'a', 0o600);
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, LONGHAUL_CONFIG: config, LONGHAUL_DATA_DIR: dataDir },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const pid = child.pid ?? 0;
  return {
    pid,
    async end(signal) {
      // with its child processes
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, signal);
      await ended;
    },
  };
}

/** A release with one proven change, as docs/release.md describes it. */
async function releaseOf({ git: runGit, longhaul, write }: Place, version: DeployedVersion): Promise<void> {
  await longhaul('generation', 'new', version.version);
  await write(`.longhaul/generations/${version.version}.yaml`, generationOf(version));
  for (const service of SERVICES) await write(`k8s/${service}/all.yaml`, manifestsOf(service, version));
  await runGit('add', '.');
  await runGit('commit', '--quiet', '-m', `feat: ${version.title} [${version.id}]`);
  await runGit('push', '--quiet', 'origin', 'HEAD');
  await longhaul('evolution', 'start', version.version, '--change', version.id);
  await longhaul('run', 'full-ci');
  await longhaul('generation', 'promote', version.version);
}

/** Kills the worker when the first service has its new image; another one carries the deployment out. */
async function deployThroughKill(
  options: ShowDeploymentsOptions,
  { place, cluster, deployer }: { readonly place: DeployPlace; readonly cluster: Cluster; readonly deployer: Deployer },
): Promise<Deployer> {
  const { version, api } = VERSIONS.mended;
  const deploying = place.longhaul('deploy', version, '--env', 'staging');
  deploying.catch(() => undefined);
  const image = ['get', 'deployment/api', '--namespace', place.namespace, '--output=jsonpath={..containers[0].image}'];
  const isThere = async (): Promise<boolean> => (await cluster.kubectl(image)) === api;
  while (!(await Promise.race([isThere(), deploying.then(() => true)]))) {
    await setTimeout(100, undefined, { signal: options.signal });
  }
  announce('kill', ['-9', String(deployer.pid)]);
  await deployer.end('SIGKILL');
  const next = startDeployer(options);
  try {
    await deploying;
  } catch (error) {
    await next.end('SIGTERM');
    throw error;
  }
  return next;
}

/** What kubectl shows of the objects that the shop has, less what the server counts. */
async function objectsIn(cluster: Cluster, namespace: string): Promise<string> {
  const kinds = 'configmaps,deployments,services';
  const printed = await cluster.kubectl(['get', kinds, '--namespace', namespace, '--output=json']);
  const { items } = JSON.parse(printed) as { readonly items: readonly Record<string, unknown>[] };
  return JSON.stringify(
    items.map(({ metadata, status: _status, ...rest }) => {
      const { name, labels, annotations } = metadata as Record<string, unknown>;
      const { 'deployment.kubernetes.io/revision': _revision, ...kept } = (annotations ?? {}) as Record<
        string,
        unknown
      >;
      return { ...rest, name, labels, annotations: kept };
    }),
  );
}

/** Reads the cluster by kubectl and the ledger by SQL, and returns what is not as it should be. */
async function findProblems(
  { longhaul, namespace, repository }: DeployPlace,
  cluster: Cluster,
  isUndone: boolean,
): Promise<string[]> {
  await longhaul('deployments', 'list');
  const args = ['get', 'deployments', '--namespace', namespace];
  announce('kubectl', args);
  process.stdout.write(await cluster.kubectl(args));
  const images = await cluster.kubectl([
    ...args,
    '--output=jsonpath={.items[*].spec.template.spec.containers[0].image}',
  ]);
  const sql = `SELECT version, status FROM deployments WHERE repository = '${repository}' ORDER BY sequence`;
  const rows = deploymentRows.parse(JSON.parse(await longhaul('db', 'query', sql, '--json')));
  const { first, broken, mended } = VERSIONS;
  const expected = `${first.version} deployed, ${broken.version} undone, ${mended.version} deployed`;
  const facts: readonly (readonly [string, boolean])[] = [
    [`the images are those of ${mended.version}`, images === `${mended.api} ${mended.web}`],
    [`all objects were those of ${first.version} again after ${broken.version}`, isUndone],
    [`the ledger says: ${expected}`, rows.map(({ version, status }) => `${version} ${status}`).join(', ') === expected],
  ];
  for (const [fact, isHeld] of facts)
    process.stdout.write(`${isHeld ? styleText('green', 'held') : styleText('red', 'NOT HELD')}: ${fact}\n`);
  return facts.filter(([, isHeld]) => !isHeld).map(([fact]) => `This does not hold: ${fact}.`);
}
