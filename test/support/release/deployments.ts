import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type Cluster, startCluster } from '../kubernetes/cluster.ts';
import { listOf, type Manifest } from '../kubernetes/manifests.ts';
import { git } from '../scratch-git.ts';
import type { Release } from './releases.ts';
import { commit, write } from './work.ts';

/** The id of the repository that is deployed. */
const REPOSITORY = 'local/acme/api';

/** A folder for a cluster, whose kubeconfig is known before the cluster starts. */
export function clusterFolder(): { readonly folder: string; readonly kubeconfig: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-deploy-'));
  return {
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Starts a cluster in the folder of {@link clusterFolder}; its context is called `test`, and `shop` is a namespace. */
export async function clusterIn(folder: string): Promise<Cluster> {
  const cluster = await startCluster(join(folder, 'cluster'));
  await cluster.kubectl(['create', 'namespace', 'shop']);
  const config = JSON.parse(await cluster.kubectl(['config', 'view', '--minify', '--raw', '-o', 'json'])) as {
    readonly contexts: readonly { readonly name: string; readonly context: object }[];
  };
  const [context] = config.contexts;
  write(folder, { kubeconfig: JSON.stringify({ ...config, contexts: [{ ...context, name: 'test' }] }) });
  return cluster;
}

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: object }[];
  readonly users: readonly { readonly name: string; readonly user: object }[];
}

/**
 * Starts clusters of these names in the folder of {@link clusterFolder}, each a server of its own. Each has a context of
 * its name in the kubeconfig of the folder, and the namespace `shop`.
 */
export async function clustersIn<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, Cluster>>> {
  const clusters: [Name, Cluster][] = [];
  for (const name of names) clusters.push([name, await startCluster(join(folder, name))]);
  const parts = await Promise.all(
    clusters.map(async ([name, cluster]) => {
      await cluster.kubectl(['create', 'namespace', 'shop']);
      const own = JSON.parse(await cluster.kubectl(['config', 'view', '--raw', '-o', 'json'])) as Kubeconfig;
      return {
        clusters: [{ name, cluster: own.clusters[0]?.cluster }],
        users: [{ name, user: own.users[0]?.user }],
        contexts: [{ name, context: { cluster: name, user: name } }],
      };
    }),
  );
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: parts.flatMap((part) => part.clusters),
    users: parts.flatMap((part) => part.users),
    contexts: parts.flatMap((part) => part.contexts),
  };
  write(folder, { kubeconfig: JSON.stringify(merged) });
  return Object.fromEntries(clusters) as Record<Name, Cluster>;
}

/** Files of a release, pushed; the ledger says that the version is promoted at this commit, as its promotion would. */
export async function releasedAs(
  { clone, ledger }: Pick<Release, 'clone' | 'ledger'>,
  version: string,
  files: Readonly<Record<string, string>>,
  author?: string,
): Promise<string> {
  write(clone, files);
  const made = commit(clone, `feat: ${version}`, author);
  git(clone, 'push', '--quiet', 'origin', 'HEAD');
  await ledger.sql(
    `INSERT INTO longhaul.generations (generation_id, repository, version, status, contract, contract_digest, commit, tag,
       created_by, promoted_at, promoted_by)
     VALUES ($1, $2, $3, 'promoted', '{}', $4, $5, $3, 'test', now(), 'test')`,
    [`gen-${randomBytes(6).toString('hex')}`, REPOSITORY, version, 'a'.repeat(64), made],
  );
  return made;
}

/** Fields that the server and its controllers set by themselves: an undo makes new ones. */
const OF_SERVER = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink'] as const;

/** Annotations with numbers of revisions of a Deployment and a DaemonSet, which only go up. */
const COUNTED: readonly string[] = ['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation'];

/** Kinds that controllers make by themselves, and those of the cluster itself. */
const OF_CONTROLLERS = new Set([
  'Event',
  'Pod',
  'ReplicaSet',
  'ControllerRevision',
  'EndpointSlice',
  'Endpoints',
  'Lease',
  'Node',
  'ComponentStatus',
  'APIService',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'PodMetrics',
  'NodeMetrics',
]);

/**
 * All objects of all kinds, or of all kinds in a namespace, as `kubectl get -o json` shows them, by name, less what the
 * server sets by itself. The oracle of an undo: not the code that is tested.
 */
export async function dumpOf(cluster: Cluster, namespace?: string): Promise<Readonly<Record<string, unknown>>> {
  const [kinds, place] =
    namespace === undefined ? [[], ['--all-namespaces']] : [['--namespaced'], ['--namespace', namespace]];
  const names = await cluster.kubectl(['api-resources', '--verbs=list,get', '-o', 'name', ...kinds]);
  const printed = await cluster.kubectl(['get', names.trim().split('\n').join(','), ...place, '-o', 'json']);
  const { items } = JSON.parse(printed) as {
    readonly items: readonly {
      readonly kind: string;
      readonly apiVersion: string;
      readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
      readonly status?: unknown;
    }[];
  };
  const found: Record<string, unknown> = {};
  for (const { status: _status, metadata, ...rest } of items) {
    if (OF_CONTROLLERS.has(rest.kind)) continue;
    const own = Object.fromEntries(
      Object.entries(metadata).filter(([name]) => !(OF_SERVER as readonly string[]).includes(name)),
    );
    const annotations = Object.fromEntries(
      Object.entries(metadata.annotations ?? {}).filter(([name]) => !COUNTED.includes(name)),
    );
    const { kind } = rest;
    const name = `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
    found[name] = { ...rest, metadata: { ...own, annotations } };
  }
  return found;
}

/** The files of a folder of manifests: objects as JSON, which is YAML. */
export function manifestsIn(folder: string, ...objects: readonly Manifest[]): Readonly<Record<string, string>> {
  return { [`${folder}/all.yaml`]: JSON.stringify(listOf(...objects), null, 2) };
}

/** The deployments of an environment, the first one first. */
export async function deploymentsIn(
  { ledger }: Pick<Release, 'ledger'>,
  environment: string,
): Promise<
  readonly { readonly id: string; readonly version: string; readonly status: string; readonly why: string | null }[]
> {
  return ledger.sql(
    'SELECT deployment_id AS id, version, status, why FROM deployments WHERE environment = $1 ORDER BY sequence',
    [environment],
  );
}

/** The gate that is open; waits for one. */
export async function openGate({
  ledger,
}: Pick<Release, 'ledger'>): Promise<{ readonly id: string; readonly kind: string }> {
  return vi.waitFor(
    async () => {
      const [gate] = await ledger.sql<{ id: string; kind: string }>(
        "SELECT gate_id AS id, kind FROM gates WHERE status = 'open'",
      );
      if (gate === undefined) throw new Error('no gate is open');
      return gate;
    },
    { timeout: 60_000, interval: 200 },
  );
}
