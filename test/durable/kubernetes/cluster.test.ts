import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditedWrites } from '../../support/kubernetes/audit-log.ts';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import {
  cronJobOf,
  jobOf,
  listOf,
  type Manifest,
  podTemplate,
  serviceOf,
  workload,
} from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { type Prometheus, startPrometheus } from '../../support/kubernetes/prometheus.ts';

interface ContainerReport {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason: string };
    readonly running?: object;
    readonly terminated?: { readonly reason: string; readonly exitCode: number };
  };
  readonly lastState: { readonly terminated?: { readonly reason: string; readonly exitCode: number } };
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
    readonly containerStatuses?: readonly ContainerReport[];
  };
}

const READY = '--timeout=120s';

// its images mean nothing to another cluster
describe.skipIf(process.env['KUBECONFIG_TEST'])('the cluster of the tests', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-cluster-'));
  let cluster: Cluster;
  let service: string;
  let auditLog: string;
  let namespaces = 0;

  const start = async (name: string): Promise<Cluster> => startCluster(join(folder, name));
  /** Makes a namespace, and returns kubectl for it. */
  const place = async (): Promise<{
    readonly namespace: string;
    kubectl(...args: readonly string[]): Promise<string>;
    apply(...items: readonly Manifest[]): Promise<string>;
    pods(app: string): Promise<readonly Pod[]>;
  }> => {
    const namespace = `place-${namespaces++}`;
    await cluster.kubectl(['create', 'namespace', namespace]);
    const kubectl = (...args: readonly string[]): Promise<string> =>
      cluster.kubectl([...args, '--namespace', namespace]);
    return {
      namespace,
      kubectl,
      apply: (...items) => cluster.apply(listOf(...items), '--namespace', namespace),
      pods: async (app) => {
        const list = await cluster.get<{ items: Pod[] }>('pods', '--namespace', namespace, '--selector', `app=${app}`);
        return list.items;
      },
    };
  };
  /** What the nodes reported about the container of a workload's pod, in order and without repetitions: from the audit log. */
  const reports = async (namespace: string, app: string): Promise<string[]> => {
    const told = (await auditedWrites(auditLog))
      .filter((each) => each.user === 'kubelet' && each.resource === 'pods/status' && each.namespace === namespace)
      .filter(({ name }) => name.startsWith(app))
      .flatMap(({ body }) => (body as { status: Pod['status'] }).status.containerStatuses?.[0] ?? [])
      .map(({ state, ready, restartCount }) =>
        [
          state.waiting?.reason ?? state.terminated?.reason ?? 'Running',
          ...(ready ? ['ready'] : []),
          ...(restartCount > 0 ? [`restarted ${restartCount}`] : []),
        ].join(', '),
      );
    return told.filter((each, at) => each !== told[at - 1]);
  };

  beforeAll(async () => {
    cluster = await start('main');
    service = cluster.service ?? '';
    auditLog = cluster.auditLog ?? '';
  }, CLUSTER_BUILD_MS);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }, 60_000);

  test('a Deployment is rolled out, undone, scaled and deleted', async () => {
    const { kubectl, apply, pods } = await place();
    await apply(workload('Deployment', 'shop', 'shop:1.0.0', { replicas: 3 }));
    const rollout = (...args: readonly string[]): Promise<string> => kubectl('rollout', ...args);
    const images = async (): Promise<string[]> =>
      (await pods('shop')).map(({ spec }) => spec.containers[0]?.image ?? '');
    expect(await rollout('status', 'deployment/shop', READY)).toContain('successfully rolled out');
    await kubectl('set', 'image', 'deployment/shop', 'app=shop:2.0.0');
    await rollout('status', 'deployment/shop', READY);
    await expect.poll(images).toEqual(['shop:2.0.0', 'shop:2.0.0', 'shop:2.0.0']);

    await kubectl('set', 'image', 'deployment/shop', 'app=shop:3.0.0-noimage');
    await expect(rollout('status', 'deployment/shop', '--timeout=3s')).rejects.toThrow(/timed out/);
    await rollout('undo', 'deployment/shop');
    await rollout('status', 'deployment/shop', READY);
    await expect.poll(images).toEqual(['shop:2.0.0', 'shop:2.0.0', 'shop:2.0.0']);
    await kubectl('scale', 'deployment/shop', '--replicas=1');
    await expect.poll(images).toEqual(['shop:2.0.0']);
    await kubectl('delete', 'deployment/shop');
    await expect.poll(() => kubectl('get', 'replicasets,pods', '--output=name')).toBe('');
  });

  test('a StatefulSet has its pods in order, with claims; a DaemonSet has one on each node', async () => {
    const { kubectl, apply, pods } = await place();
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: claim }];
    await apply(
      serviceOf('db', 0),
      workload('StatefulSet', 'db', 'db:1.0.0', { replicas: 2, volumeClaimTemplates }),
      workload('DaemonSet', 'agent', 'agent:1.0.0'),
    );
    await kubectl('rollout', 'status', 'statefulset/db', READY);
    await kubectl('rollout', 'status', 'daemonset/agent', READY);
    expect((await pods('db')).map(({ metadata }) => metadata.name)).toEqual(['db-0', 'db-1']);
    const nodes = (await pods('agent')).map(({ spec }) => spec.nodeName);
    expect(new Set(nodes)).toEqual(new Set(['node-1', 'node-2', 'node-3']));
    expect(await kubectl('get', 'persistentvolumeclaims', '--output=jsonpath={.items[*].status.phase}')).toBe(
      'Bound Bound',
    );

    await kubectl('set', 'image', 'statefulset/db', 'app=db:2.0.0');
    await kubectl('set', 'image', 'daemonset/agent', 'app=agent:2.0.0');
    await kubectl('rollout', 'status', 'statefulset/db', READY);
    await kubectl('rollout', 'status', 'daemonset/agent', READY);
    // what `awaitReady` tells pods of the present revision by
    const annotation = String.raw`deprecated\.daemonset\.template\.generation`;
    expect(await kubectl('get', 'daemonset/agent', `--output=jsonpath={.metadata.annotations.${annotation}}`)).toBe(
      '2',
    );
    const generations = '--output=jsonpath={.items[*].metadata.labels.pod-template-generation}';
    expect(await kubectl('get', 'pods', '--selector=app=agent', generations)).toBe('2 2 2');
    await kubectl('rollout', 'undo', 'statefulset/db');
    await kubectl('rollout', 'status', 'statefulset/db', READY);
    expect((await pods('db')).map(({ spec }) => spec.containers[0]?.image)).toEqual(['db:1.0.0', 'db:1.0.0']);
    await kubectl('delete', 'statefulset/db');
    await kubectl('delete', 'persistentvolumeclaims', '--all', READY);
  });

  test('a Job completes or fails as its image says; a CronJob starts Jobs', async () => {
    const { kubectl, apply } = await place();
    await apply(
      jobOf('good', 'migrate:1.0.0'),
      jobOf('bad', 'migrate:1.0.0-fail'),
      cronJobOf('nightly', 'clean:1.0.0'),
    );
    await kubectl('wait', '--for=condition=Complete', 'job/good', READY);
    await kubectl('wait', '--for=condition=Failed', 'job/bad', READY);
    await kubectl('create', 'job', 'by-hand', '--from=cronjob/nightly');
    await kubectl('wait', '--for=condition=Complete', 'job/by-hand', READY);
    const own = (): Promise<string> =>
      kubectl('get', 'jobs', '--output=jsonpath={range .items[*]}{.metadata.name} {.status.succeeded}{"\\n"}{end}');
    await expect.poll(own, { timeout: 150_000, interval: 2000 }).toMatch(/^nightly-\d+ 1$/m);
  });

  test('a defined kind is established, and a deleted namespace takes its objects along', async () => {
    const { namespace, kubectl, apply } = await place();
    const names = { plural: 'toys', singular: 'toy', kind: 'Toy' };
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    await cluster.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'toys.cluster.test' },
      spec: { group: 'cluster.test', scope: 'Namespaced', names, versions },
    });
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd/toys.cluster.test', READY]);
    await apply(
      { apiVersion: 'cluster.test/v1', kind: 'Toy', metadata: { name: 'bear' } },
      workload('Deployment', 'shop', 'shop:1.0.0'),
    );
    expect(await kubectl('get', 'toys', '--output=name')).toBe('toy.cluster.test/bear');
    await cluster.kubectl(['delete', 'namespace', namespace, READY]);
    await expect(cluster.kubectl(['get', 'namespace', namespace])).rejects.toThrow(/not found/);
    await cluster.kubectl(['delete', 'crd/toys.cluster.test', READY]);
  });

  const DIGEST = `sha256:${'a'.repeat(64)}`;
  test.for<[image: string, first: readonly string[]]>([
    ['app:1.0.0', ['ContainerCreating', 'Running, ready']],
    ['app:1.0.0-slow2s', ['ContainerCreating', 'Running', 'Running, ready']],
    ['app:1.0.0-fails4s', ['ContainerCreating', 'Running, ready', 'Running']],
    ['app:1.0.0-slow1s-fails4s', ['ContainerCreating', 'Running', 'Running, ready', 'Running']],
    ['app:1.0.0-noimage', ['ErrImagePull', 'ImagePullBackOff']],
    [
      'app:1.0.0-crash',
      [
        'ContainerCreating',
        'Running',
        'Running, restarted 1',
        'CrashLoopBackOff, restarted 1',
        'Running, restarted 2',
        'CrashLoopBackOff, restarted 2',
      ],
    ],
    [
      'app:1.0.0-restarts3s',
      ['ContainerCreating', 'Running, ready', 'Running, restarted 1', 'Running, ready, restarted 1'],
    ],
    ['app:1.0.0-never', ['ContainerCreating', 'Running']],
    [`registry.test:5000/team/app:1.0.0-noimage@${DIGEST}`, ['ErrImagePull', 'ImagePullBackOff']],
    [`registry.test:5000/team/app-noimage@${DIGEST}`, ['ErrImagePull', 'ImagePullBackOff']],
  ])('pods do what the tag of %s says', async ([image, states]) => {
    const { namespace, apply } = await place();
    await apply(workload('Deployment', 'app', image));
    const last = states.at(-1) ?? '';
    const endOf = (told: readonly string[]): number =>
      told.indexOf(last, last === 'Running' && states.includes('Running, ready') ? told.indexOf('Running, ready') : 0);
    const isDone = (told: readonly string[]): boolean =>
      endOf(told) >= 0 && (!states.includes('Running, ready') || told.includes('Running, ready'));
    await expect.poll(() => reports(namespace, 'app')).toSatisfy(isDone);
    // a busy machine may see two changes at once, but never another state, or another order
    const told = await reports(namespace, 'app');
    const expected = [...states];
    for (const each of told.slice(0, endOf(told) + 1)) {
      expect(expected, told.join(' → ')).toContain(each);
      expected.splice(0, expected.indexOf(each));
    }
    await cluster.kubectl(['delete', 'deployment/app', '--namespace', namespace]);
  });

  test('what crashes or is killed says how it ended; a pod that no node may have waits', async () => {
    const { apply, pods } = await place();
    await apply(
      workload('Deployment', 'crash', 'app:1.0.0-crash'),
      workload('Deployment', 'killed', 'app:1.0.0-restarts1s'),
      workload('Deployment', 'picky', 'app:1.0.0', {
        template: podTemplate('picky', 'app:1.0.0', { nodeSelector: { disk: 'fast' } }),
      }),
      workload('Deployment', 'prepared', 'app:1.0.0', {
        template: podTemplate('prepared', 'app:1.0.0', {
          initContainers: [{ name: 'first', image: 'prepare:1.0.0-crash' }],
        }),
      }),
    );
    const last = async (app: string): Promise<unknown> =>
      (await pods(app))[0]?.status.containerStatuses?.[0]?.lastState.terminated;
    await expect.poll(() => last('crash')).toMatchObject({ reason: 'Error', exitCode: 1 });
    await expect.poll(() => last('killed')).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
    await expect
      .poll(async () => (await pods('picky'))[0]?.status.conditions)
      .toMatchObject([{ reason: 'Unschedulable' }]);
    const prepared = async (): Promise<unknown> => (await pods('prepared'))[0]?.status;
    await expect.poll(prepared).toMatchObject({
      phase: 'Pending',
      initContainerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    });
  });

  test('an autoscaler sets the replicas, by the use that the image says', async () => {
    const { kubectl, apply } = await place();
    await apply(workload('Deployment', 'shop', 'shop:1.0.0-cpu150'), {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'shop' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
        minReplicas: 1,
        maxReplicas: 4,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    });
    const replicas = (): Promise<string> => kubectl('get', 'deployment/shop', '--output=jsonpath={.spec.replicas}');
    await expect.poll(replicas).toBe('4');
    await kubectl('set', 'image', 'deployment/shop', 'app=shop:1.0.0-cpu12.5');
    await expect.poll(replicas).toBe('1');
  });

  test('who may do what follows from roles', async () => {
    const { namespace, kubectl } = await place();
    await kubectl('create', 'serviceaccount', 'deployer');
    await kubectl('create', 'rolebinding', 'deployer', '--clusterrole=edit', `--serviceaccount=${namespace}:deployer`);
    const token = await kubectl('create', 'token', 'deployer');
    const can = (...args: readonly string[]): Promise<string> =>
      kubectl('auth', 'can-i', ...args, '--token', token, '--kubeconfig', cluster.kubeconfig).catch(
        (error: unknown) => (error as { stdout: string }).stdout,
      );
    await expect.poll(() => can('patch', 'deployments.apps')).toBe('yes');
    expect(await can('create', 'roles')).toBe('no');
  });

  describe('its services', () => {
    const ask = async (path: string): Promise<{ readonly status: number; readonly image: string }> => {
      const response = await fetch(`${service}/${path}`);
      const text = await response.text();
      const image = text.startsWith('{') ? (JSON.parse(text) as { image: string }).image : text;
      return { status: response.status, image };
    };

    test('answer as the images of their ready pods', async () => {
      const { namespace, kubectl, apply } = await place();
      const path = `${namespace}/shop/any/thing?at=all`;
      await apply(serviceOf('shop', 0), workload('Deployment', 'shop', 'shop:1.0.0-never'));
      await expect.poll(async () => (await ask(path)).status).toBe(503);
      await kubectl('set', 'image', 'deployment/shop', 'app=shop:2.0.0');
      await kubectl('rollout', 'status', 'deployment/shop', READY);
      await expect.poll(() => ask(path)).toEqual({ status: 200, image: 'shop:2.0.0' });
      expect((await ask(`${namespace}/other/`)).status).toBe(404);

      // a rollout that gets stuck leaves the old pods in service
      await kubectl('set', 'image', 'deployment/shop', 'app=shop:3.0.0-never');
      await expect(kubectl('rollout', 'status', 'deployment/shop', '--timeout=3s')).rejects.toThrow(/timed out/);
      expect(await ask(path)).toEqual({ status: 200, image: 'shop:2.0.0' });
    });

    test('fail exactly as often as the image says, and two versions take turns', async () => {
      const { namespace, kubectl, apply } = await place();
      await apply(
        serviceOf('shop', 0),
        workload('Deployment', 'shop', 'shop:1.0.0'),
        workload('Deployment', 'canary', 'shop:2.0.0-errors10', {
          selector: { matchLabels: { app: 'shop', track: 'canary' } },
          template: {
            ...podTemplate('shop', 'shop:2.0.0-errors10'),
            metadata: { labels: { app: 'shop', track: 'canary' } },
          },
        }),
      );
      await kubectl('rollout', 'status', 'deployment/shop', READY);
      await kubectl('rollout', 'status', 'deployment/canary', READY);
      await expect
        .poll(() => kubectl('get', 'endpointslices', '--output=jsonpath={.items[*].endpoints[*].conditions.ready}'))
        .toBe('true true');
      const count: Record<string, number> = {};
      for (let at = 0; at < 200; at++) {
        const { status, image } = await ask(`${namespace}/shop/`);
        count[`${image} ${status}`] = (count[`${image} ${status}`] ?? 0) + 1;
      }
      expect(count).toEqual({ 'shop:1.0.0 200': 100, 'shop:2.0.0-errors10 200': 90, 'shop:2.0.0-errors10 500': 10 });
    });

    test('are measured by a real Prometheus, without requests by a test', async () => {
      const { namespace, kubectl, apply } = await place();
      const prometheus: Prometheus = await startPrometheus(join(folder, 'prometheus'), service);
      try {
        const of = `namespace="${namespace}",service="shop"`;
        const total = `sum(rate(http_requests_total{${of}}[5s]))`;
        const failing = `sum(rate(http_requests_total{${of},code=~"5.."}[5s])) / ${total}`;
        const slow = `histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{${of}}[5s])))`;
        expect(await prometheus.value(total)).toBeNull();
        await apply(serviceOf('shop', 40), workload('Deployment', 'shop', 'shop:1.0.0'));
        await expect.poll(() => prometheus.value(total)).toBeGreaterThan(1);
        await expect.poll(() => prometheus.value(failing)).toBe(0);
        await expect.poll(() => prometheus.value(slow)).toBeLessThan(0.1);

        await kubectl('set', 'image', 'deployment/shop', 'app=shop:2.0.0-errors20-latency200');
        await expect.poll(() => prometheus.value(failing)).toSatisfy((rate: number) => rate > 0.15 && rate < 0.25);
        await expect.poll(() => prometheus.value(slow)).toBeGreaterThan(0.16);
        // no requests: no number
        await kubectl('annotate', '--overwrite', 'service/shop', 'cluster.test/visitors-per-second=0');
        await expect.poll(() => prometheus.value(failing)).toBeNaN();
        await kubectl('delete', 'service/shop');
        await expect.poll(() => prometheus.value(`http_requests_total{${of},code="200"}`)).toBeNull();
      } finally {
        await prometheus.stop();
      }
    });
  });

  test('the audit log has each write, with its program, field manager and outcome', async () => {
    const { namespace, kubectl, apply } = await place();
    const manifest = workload('Deployment', 'shop', 'shop:1.0.0');
    const applied = ['--server-side', '--field-manager=own-manager', '--namespace', namespace];
    await cluster.apply(manifest, ...applied, '--dry-run=server');
    await cluster.apply(manifest, ...applied);
    const changed = { ...manifest, spec: { ...(manifest['spec'] as object), replicas: 2 } };
    await cluster.apply(changed, '--server-side', '--field-manager=other', '--namespace', namespace);
    const conflict = { ...manifest, spec: { ...(manifest['spec'] as object), replicas: 3 } };
    await expect(cluster.apply(conflict, ...applied)).rejects.toThrow(/conflict.*other/i);
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { key: 'not-in-the-log' } });
    await kubectl('delete', 'secret/key');
    const writes = async (): Promise<unknown[]> =>
      (await auditedWrites(auditLog))
        .filter((each) => each.namespace === namespace && each.user === 'admin')
        .map(({ verb, manager, resource, isDryRun, code, agent }) => [
          verb,
          resource,
          manager,
          isDryRun,
          code,
          agent.split('/')[0],
        ]);
    await expect.poll(writes).toEqual([
      ['patch', 'deployments.apps', 'own-manager', true, 201, 'kubectl'],
      ['patch', 'deployments.apps', 'own-manager', false, 201, 'kubectl'],
      ['patch', 'deployments.apps', 'other', false, 200, 'kubectl'],
      ['patch', 'deployments.apps', 'own-manager', false, 409, 'kubectl'],
      ['create', 'secrets', 'kubectl-client-side-apply', false, 201, 'kubectl'],
      ['delete', 'secrets', null, false, 200, 'kubectl'],
    ]);
    expect(await readFile(auditLog, 'utf8')).not.toContain('not-in-the-log');
  });

  test('started again it is the same cluster; two run side by side', async () => {
    const first = await start('again');
    const manifests = listOf(serviceOf('shop'), workload('Deployment', 'shop', 'shop:1.0.0', { replicas: 2 }));
    await first.apply(manifests);
    await first.kubectl(['rollout', 'status', 'deployment/shop', READY]);
    const before = await first.get<{ items: { metadata: { uid: string } }[] }>('pods,deployments,services');
    const kubeconfig = await readFile(first.kubeconfig, 'utf8');
    // the other one knows nothing of it
    expect(await cluster.kubectl(['get', 'deployments', '--namespace=default', '--output=name'])).toBe('');

    await first.stop('SIGKILL');
    await expect(first.kubectl(['get', 'pods'])).rejects.toThrow(/refused/);
    const second = await start('again');
    try {
      expect(await readFile(second.kubeconfig, 'utf8')).toBe(kubeconfig);
      expect(second.service).toBe(first.service);
      const after = await second.get<typeof before>('pods,deployments,services');
      expect(after.items.map(({ metadata }) => metadata.uid)).toEqual(before.items.map(({ metadata }) => metadata.uid));
      await second.kubectl(['set', 'image', 'deployment/shop', 'app=shop:2.0.0']);
      await second.kubectl(['rollout', 'status', 'deployment/shop', READY]);
      await expect.poll(async () => (await fetch(`${second.service}/default/shop/`)).text()).toContain('shop:2.0.0');
      const writes = await auditedWrites(second.auditLog ?? '');
      expect(new Set(writes.map(({ manager }) => manager))).toContain('kubectl-client-side-apply');
      expect(writes.some(({ manager }) => manager === 'kubectl-set')).toBe(true);
    } finally {
      await second.stop();
    }
  });
});
