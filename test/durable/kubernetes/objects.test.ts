import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClusters, type Cluster as Client } from '../../../activities/kubernetes/cluster.ts';
import { createKubectl, type Kubectl } from '../../../activities/kubernetes/kubectl.ts';
import { undoObject } from '../../../activities/kubernetes/undo-object.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { problemOfPod, objectReadiness } from '../../../domain/kubernetes/readiness.ts';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';

const RUN = 'longhaul.test/run';

/** An object that must be there. */
function present(object: KubernetesObject | null | undefined): KubernetesObject {
  if (!object) throw new Error('the object is not there');
  return object;
}

function createdAt(object: KubernetesObject | undefined): number {
  return Date.parse(String(object?.metadata['creationTimestamp']));
}

const KINDS = 'configmaps,secrets,services,deployments,ingresses,statefulsets,customresourcedefinitions';

describe('objects of a cluster', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-objects-'));
  let cluster: Cluster;
  let kubectl: Kubectl;
  let client: Client;
  let context: string;
  let namespace: string;
  let namespaces = 0;

  beforeAll(async () => {
    cluster = await startCluster(join(folder, 'cluster'));
    context = (await cluster.kubectl(['config', 'current-context'])).trim();
    kubectl = createKubectl({
      program: 'kubectl',
      kubeconfig: cluster.kubeconfig,
      env: { ...process.env, ...cluster.env },
    });
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    namespace = `objects-${namespaces++}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    client = createClusters(kubectl)(context);
  });

  function object(apiVersion: string, kind: string, name: string, rest: object): KubernetesObject {
    return { apiVersion, kind, metadata: { name, namespace, annotations: { [RUN]: 'one' } }, ...rest };
  }

  const deployment = (image: string, replicas?: number): KubernetesObject =>
    object('apps/v1', 'Deployment', 'api', {
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        selector: { matchLabels: { app: 'api' } },
        template: { metadata: { labels: { app: 'api' } }, spec: { containers: [{ name: 'app', image }] } },
      },
    });
  const settings = (mode: string): KubernetesObject => object('v1', 'ConfigMap', 'settings', { data: { mode } });
  const isOurs = ({ metadata }: KubernetesObject): boolean => metadata.annotations?.[RUN] === 'one';

  /** All objects by kubectl, without what the server and its controllers set by themselves. */
  async function dump(): Promise<unknown> {
    const { items } = JSON.parse(
      await cluster.kubectl(['get', KINDS, '-n', namespace, '-o', 'json', '--show-managed-fields']),
    ) as { readonly items: readonly KubernetesObject[] };
    return items.map(({ status: _status, metadata, ...rest }) => {
      const {
        uid: _uid,
        resourceVersion: _version,
        generation: _generation,
        creationTimestamp: _at,
        ...own
      } = metadata;
      const managed = (
        metadata['managedFields'] as readonly {
          manager: string;
          operation: string;
          subresource?: string;
          fieldsV1: object;
        }[]
      )
        .filter(({ subresource }) => subresource !== 'status')
        .map(({ manager, operation, subresource, fieldsV1 }) => ({ manager, operation, subresource, fieldsV1 }));
      const annotations = Object.fromEntries(
        Object.entries(metadata.annotations ?? {}).filter(([key]) => key !== 'deployment.kubernetes.io/revision'),
      );
      return { ...rest, metadata: { ...own, annotations, managedFields: managed } };
    });
  }

  async function ready(wanted: KubernetesObject): Promise<void> {
    await expect
      .poll(async () => objectReadiness((await client.read([wanted]))[0] ?? wanted), { timeout: 60_000 })
      .toEqual({ state: 'ready', why: '' });
  }

  async function previewed(wanted: KubernetesObject): Promise<KubernetesObject> {
    const preview = await client.preview(wanted);
    if (!('object' in preview)) throw new Error(JSON.stringify(preview));
    return preview.object;
  }

  test('are read in the given order; one that is not there, and one of an unknown kind, is null', async () => {
    await client.apply([settings('a')]);
    const unknown = object('shop.example/v1', 'Cart', 'one', {});
    const found = await client.read([unknown, deployment('app:1'), settings('')]);
    expect(found.map((each) => each?.kind ?? null)).toEqual([null, null, 'ConfigMap']);
    expect(await client.kinds('shop.example/v1')).toEqual([]);
  });

  test('a field that another owns is reported with its owner, and not taken', async () => {
    await client.apply([deployment('app:1', 2)]);
    await cluster.kubectl(['scale', '-n', namespace, 'deployment/api', '--replicas=5']);
    const wanted = deployment('app:2', 3);
    expect(await client.preview(wanted)).toEqual({ conflicts: [{ manager: 'kubectl', field: '.spec.replicas' }] });
    await expect(client.apply([wanted])).rejects.toMatchObject({ type: 'DriftDetected' });
    const [now] = await client.read([wanted]);
    expect(JSON.stringify(now?.['spec'])).toContain('"image":"app:1"');
    // what the manifest does not name stays with its owner
    await client.apply([deployment('app:2')]);
    const { spec } = await cluster.get<{ spec: { replicas: number } }>('-n', namespace, 'deployment/api');
    expect(spec.replicas).toBe(5);
  });

  test('what a server would refuse is known before the first change', async () => {
    await client.apply([deployment('app:1')]);
    const wrong = structuredClone(deployment('app:2')) as unknown as { spec: { selector: { matchLabels: object } } };
    wrong.spec.selector.matchLabels = { app: 'other' };
    const preview = await client.preview(wrong as unknown as KubernetesObject);
    expect(preview).toMatchObject({ refused: expect.stringContaining('api') as string });
  });

  test('an undo puts updated, created and deleted objects back, with their owners, and can be repeated', async () => {
    const secret = object('v1', 'Secret', 'key', { data: { key: 'b25l' } });
    const old = object('v1', 'ConfigMap', 'old', { data: { a: 'b' } });
    await client.apply([settings('a'), secret, old, deployment('app:1', 2)]);
    await ready(deployment('app:1'));
    const before = await dump();
    const [was, hadSecret, hadOld, hadDeployment] = await client.read([settings(''), secret, old, deployment('')]);
    const wanted = [settings('b'), { ...secret, data: { key: 'dHdv' } }, deployment('app:2', 2)];
    const written = await Promise.all(wanted.map(previewed));
    const created = object('v1', 'ConfigMap', 'new', { data: { c: 'd' } });
    const changes = [
      { before: was ?? null, written: written[0] ?? null },
      { before: hadSecret ?? null, written: written[1] ?? null },
      { before: hadDeployment ?? null, written: written[2] ?? null },
      { before: null, written: created },
      { before: hadOld ?? null, written: null },
    ];

    await client.apply([...wanted, created]);
    expect(await client.remove(present(hadOld))).toBe(true);
    await ready(deployment('app:2'));
    expect(await dump()).not.toEqual(before);

    const ends = [];
    for (const change of changes.toReversed()) ends.push(await undoObject(client, change, isOurs));
    expect(ends.map(({ end }) => end)).toEqual(['created again', 'deleted', 'restored', 'restored', 'restored']);
    expect(ends.flatMap(({ kept }) => kept)).toEqual([]);
    expect(await dump()).toEqual(before);
    for (const change of changes.toReversed()) await undoObject(client, change, isOurs);
    expect(await dump()).toEqual(before);
    // the next deployment does not find the undo in its way
    await client.apply(wanted);
  });

  test('an undo leaves to others what they did meanwhile', async () => {
    await client.apply([settings('a'), deployment('app:1')]);
    const [was, hadDeployment] = await client.read([settings(''), deployment('')]);
    const written = await Promise.all([settings('b'), deployment('app:2')].map(previewed));
    await client.apply([settings('b'), deployment('app:2'), object('v1', 'ConfigMap', 'new', {})]);

    await cluster.kubectl(['scale', '-n', namespace, 'deployment/api', '--replicas=7']);
    await cluster.kubectl(['label', '-n', namespace, 'deployment/api', 'tier=gold']);
    const patch = JSON.stringify({ data: { mode: 'c' } });
    await cluster.kubectl(['patch', '-n', namespace, 'configmap/settings', '--type=merge', '-p', patch]);
    await cluster.kubectl(['annotate', '-n', namespace, 'configmap/new', `${RUN}=another`, '--overwrite']);

    const undone = await undoObject(client, { before: hadDeployment ?? null, written: written[1] ?? null }, isOurs);
    expect(undone).toEqual({ end: 'restored', kept: [] });
    const { spec, metadata } = await cluster.get<{
      spec: { replicas: number; template: { spec: { containers: { image: string }[] } } };
      metadata: { labels: Record<string, string> };
    }>('-n', namespace, 'deployment/api');
    expect(spec.replicas).toBe(7);
    expect(metadata.labels['tier']).toBe('gold');
    expect(spec.template.spec.containers[0]?.image).toBe('app:1');

    const kept = await undoObject(client, { before: was ?? null, written: written[0] ?? null }, isOurs);
    expect(kept.kept).toEqual([{ path: 'data.mode', before: 'a', written: 'b', kept: 'c' }]);
    const taken = await undoObject(client, { before: null, written: object('v1', 'ConfigMap', 'new', {}) }, isOurs);
    expect(taken.end).toBe('taken');
    expect(await cluster.kubectl(['get', '-n', namespace, 'configmap/new', '-o', 'name'])).toContain('new');
  });

  test('a StatefulSet that is undone leaves the claims that were there before it, and takes its own', async () => {
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const template = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'app', image: 'db:1' }] } };
    const set = object('apps/v1', 'StatefulSet', 'db', {
      spec: {
        serviceName: 'db',
        replicas: 2,
        selector: { matchLabels: { app: 'db' } },
        template,
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' },
      },
    });
    const claims = async (): Promise<readonly KubernetesObject[]> =>
      client.list('persistentvolumeclaims', namespace, '');
    const names = async (): Promise<readonly string[]> => (await claims()).map(({ metadata: { name } }) => name);
    // one of an earlier StatefulSet, and one that only looks like it
    await client.apply([
      object('v1', 'PersistentVolumeClaim', 'data-db-0', { spec: claim }),
      object('v1', 'PersistentVolumeClaim', 'data-db-x', { spec: claim }),
    ]);
    const [older] = await claims();
    // times of the server have seconds
    await expect.poll(() => Date.now(), { timeout: 10_000 }).toBeGreaterThan(createdAt(older) + 2_000);
    await client.apply([set]);
    const owners = async (): Promise<readonly unknown[]> =>
      (await claims()).map(({ metadata }) => (metadata['ownerReferences'] as readonly { kind: string }[])?.[0]?.kind);
    await expect.poll(owners, { timeout: 60_000 }).toEqual(['StatefulSet', 'StatefulSet', undefined]);

    expect(await undoObject(client, { before: null, written: set }, isOurs)).toEqual({ end: 'deleted', kept: [] });
    // the garbage collector has done its work when the claim of the second pod is gone
    await expect.poll(names, { timeout: 60_000 }).toEqual(['data-db-0', 'data-db-x']);
    const [left] = await claims();
    expect(left?.metadata).toMatchObject({ uid: older?.metadata.uid });
    expect(left?.metadata['ownerReferences'] ?? []).toEqual([]);
    expect(left?.metadata['deletionTimestamp']).toBeUndefined();
    expect(await undoObject(client, { before: null, written: set }, isOurs)).toEqual({ end: 'unchanged', kept: [] });
  });

  test('an object is deleted only as the one that it was', async () => {
    await client.apply([settings('a')]);
    const [was] = await client.read([settings('')]);
    await cluster.kubectl(['delete', '-n', namespace, 'configmap/settings']);
    await client.apply([settings('b')]);
    await expect(client.remove(present(was))).rejects.toMatchObject({ type: 'ObjectChanged' });
    const [now] = await client.read([settings('')]);
    expect(now?.['data']).toEqual({ mode: 'b' });
    // and, where it is recorded for an undo, only in the version that was recorded
    await client.apply([settings('c')]);
    await expect(client.remove(present(now), { exactly: true })).rejects.toMatchObject({ type: 'ObjectChanged' });
    expect(await client.remove(present(now))).toBe(true);
    expect(await client.remove(present(now), { exactly: true })).toBe(false);
  });

  test('pods that will not become ready are seen at once, by the reason of their container', async () => {
    await client.apply([deployment('app:1-crash')]);
    const problems = async (): Promise<readonly (string | null)[]> =>
      (await client.list('pods', namespace, 'app=api')).map((pod) => problemOfPod(pod));
    await expect.poll(problems, { timeout: 60_000 }).toContainEqual(expect.stringMatching(CRASHES));
  });

  test('messages about contexts, permissions and versions have names', async () => {
    await expect(createClusters(kubectl)('nowhere').versions()).rejects.toMatchObject({ type: 'InvalidConfiguration' });
    expect(await client.may([{ verb: 'patch', resource: 'deployments.apps', namespace }])).toEqual([true]);
    const { cluster: version } = await client.versions();
    expect(version).toMatch(/^1\.\d+\.\d+$/);
    const account = ['create', 'serviceaccount', 'guest', '-n', namespace];
    await cluster.kubectl(account);
    const missing = createKubectl({ program: '/nowhere/kubectl', kubeconfig: null, env: {} });
    await expect(createClusters(missing)(context).versions()).rejects.toMatchObject({ type: 'KubectlUnusable' });
  });
});
