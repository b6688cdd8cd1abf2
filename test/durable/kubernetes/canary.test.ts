import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { type Prometheus, startPrometheus } from '../../support/kubernetes/prometheus.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  releasedAs,
} from '../../support/release/deployments.ts';
import { releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const addresses: string[] = [];
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'], addresses } } },
});

const PODS = 5;
const settings = (name: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { name },
});
/** A release: its workload, and configuration with a name of its own. */
const release1 = (image: string, config: string) =>
  manifestsIn('k8s', settings(config), serviceOf('api'), workload('Deployment', 'api', image, { replicas: PODS }));

interface DeploymentView {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
  readonly status: { readonly readyReplicas?: number };
}

describe('a canary', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let prometheus: Prometheus | undefined;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    await cluster.kubectl(['create', 'namespace', 'measured']);
    prometheus = await startPrometheus(join(place.folder, 'prometheus'), cluster.service ?? '');
    addresses.push(prometheus.url);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await prometheus?.stop();
    await cluster?.stop();
    place.remove();
  });

  function environments(): string {
    const of = 'namespace="measured",service="api"';
    return `environments:
  - name: steered
    context: test
    namespace: shop
    watch: 1s
    services: {api: {manifests: {folder: k8s}, ready: 60s, canary: {steps: [10%, 50%], every: 1h}}}
  - name: measured
    context: test
    namespace: measured
    watch: 12s
    services: {api: {manifests: {folder: k8s}, ready: 60s, canary: {steps: [20%], every: 1h}}}
    metrics:
      prometheus: ${prometheus?.url}
      interval: 1s
      requests: {query: 'sum(increase(http_requests_total{${of}}[5s]))'}
      errors: {query: 'sum(rate(http_requests_total{${of},code=~"5.."}[5s])) / sum(rate(http_requests_total{${of}}[5s]))'}
`;
  }

  const deployment = (name: string, namespace = 'shop'): Promise<DeploymentView> =>
    cluster.get<DeploymentView>('deployment', name, '-n', namespace);
  const imageOf = ({ spec }: DeploymentView): string | undefined => spec.template.spec.containers[0]?.image;
  /** The canary, when so many of its pods are ready. */
  const canaryWith = (pods: number, namespace = 'shop'): Promise<DeploymentView> =>
    vi.waitFor(
      async () => {
        const found = await deployment('api-canary', namespace);
        expect(found.status.readyReplicas).toBe(pods);
        return found;
      },
      { timeout: 120_000, interval: 300 },
    );
  /** Addresses behind the Service that are ready. */
  const behindService = async (): Promise<number> => {
    const { items } = await cluster.get<{
      readonly items: readonly {
        readonly endpoints: readonly { readonly conditions: { readonly ready?: boolean } }[] | null;
      }[];
    }>('endpointslices', '-n', 'shop', '-l', 'kubernetes.io/service-name=api');
    return items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready).length;
  };

  test('takes a share of the pods, step by step, as people steer it, and is gone in the end', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': environments(),
      ...release1('api:1', 'settings-1'),
    });
    // there is nothing to compare the first release with
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'steered')).toMatchObject({ exitCode: 0 });
    expect(await release.longhaul('canary', 'skip', '--env', 'steered')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('No deployment is at work in steered') as string,
    });

    await releasedAs(release, 'v1.1.0', release1('api:2', 'settings-2'));
    const running = release.longhaul('deploy', 'v1.1.0', '--env', 'steered');
    const canary = await canaryWith(1);
    expect(imageOf(canary)).toBe('api:2');
    expect(imageOf(await deployment('api'))).toBe('api:1');
    await expect.poll(behindService).toBe(PODS + 1);
    expect(await cluster.kubectl(['get', 'configmap', 'settings-2', '-n', 'shop', '-o', 'name'])).toContain(
      'settings-2',
    );

    const steer = (...args: readonly string[]) => release.longhaul('canary', ...args, '--env', 'steered');
    expect(await steer('resume')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('The canary is not paused') as string,
    });
    expect(await steer('pause', '--why', 'look at it')).toMatchObject({ exitCode: 0, stdout: 'api at 10%: paused\n' });
    expect(await steer('resume')).toMatchObject({ exitCode: 0, stdout: 'api at 10%: goes on\n' });
    expect(await steer('skip')).toMatchObject({ exitCode: 0, stdout: 'api at 10%: the next step comes now\n' });
    await canaryWith(3);
    expect(imageOf(await deployment('api'))).toBe('api:1');
    expect(await steer('skip')).toMatchObject({ exitCode: 0, stdout: 'api at 50%: the next step comes now\n' });
    expect(await running).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('v1.1.0 is in steered') as string,
    });
    expect(imageOf(await deployment('api'))).toBe('api:2');
    await expect
      .poll(() => cluster.kubectl(['get', 'deployments', '-n', 'shop', '-o', 'name']))
      .toBe('deployment.apps/api');

    const [id] = (await deploymentsIn(release, 'steered')).slice(-1).map((each) => each.id);
    const events = await release.ledger.sql(
      `SELECT action, why, details_json->>'percent' AS percent, details_json->>'deployment' = $1 AS is_of_deployment
       FROM audit_events WHERE event_type = 'deployment.canary' ORDER BY event_id`,
      [id],
    );
    expect(events).toEqual([
      { action: 'pause', why: 'look at it', percent: '10', is_of_deployment: true },
      { action: 'resume', why: null, percent: '10', is_of_deployment: true },
      { action: 'skip', why: null, percent: '10', is_of_deployment: true },
      { action: 'skip', why: null, percent: '50', is_of_deployment: true },
    ]);
    // the canary is no part of what the environment consists of
    const again = await release.longhaul('deploy', 'v1.1.0', '--env', 'steered', '--dry-run', '--json');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(again.stdout)).toMatchObject({
      plan: { counts: { create: 0, update: 0, delete: 0 }, canaries: [] },
    });
    release.replayed('deployment/local/acme/api/steered/v1.1.0');
  });

  test('that a person aborts is put back, and its workload was never changed', async ({ release }) => {
    await releasedAs(release, 'v1.2.0', release1('api:3', 'settings-3'));
    const before = await dumpOf(cluster);
    const { metadata } = await deployment('api');
    const running = release.longhaul('deploy', 'v1.2.0', '--env', 'steered');
    await canaryWith(1);
    const aborted = await release.longhaul('canary', 'abort', '--env', 'steered', '--why', 'the wrong one');
    expect(aborted).toMatchObject({ exitCode: 0, stdout: 'api at 10%: everything is being put back\n' });
    // of another person, a moment later: the canary is gone, or on its way
    expect(await release.longhaul('canary', 'skip', '--env', 'steered')).toMatchObject({ exitCode: 2 });
    expect(await running).toMatchObject({
      exitCode: 11,
      stderr: expect.stringMatching(/The canary did not stay: \S+ aborted the canary: the wrong one\./u) as string,
    });
    expect(await dumpOf(cluster)).toEqual(before);
    expect((await deployment('api')).metadata.generation).toBe(metadata.generation);
  });

  test('is put back at once while its pods do not become ready', async ({ release }) => {
    await releasedAs(release, 'v1.2.1', release1('api:3-never', 'settings-3'));
    const before = await dumpOf(cluster);
    const running = release.longhaul('deploy', 'v1.2.1', '--env', 'steered');
    await vi.waitFor(() => deployment('api-canary'), { timeout: 60_000, interval: 300 });
    expect(await release.longhaul('canary', 'abort', '--env', 'steered')).toMatchObject({ exitCode: 0 });
    expect(await running).toMatchObject({
      exitCode: 11,
      // not: it did not become ready
      stderr: expect.stringContaining('aborted the canary') as string,
    });
    expect(await dumpOf(cluster)).toEqual(before);
  });

  test('that a terminated deployment has left takes the steps of the next one, and is gone in the end', async ({
    release,
  }) => {
    const interrupted = release.longhaul('deploy', 'v1.2.0', '--env', 'steered');
    await canaryWith(1);
    await release.client.workflow.getHandle('deploy/local/acme/api/steered').terminate('a test');
    expect((await interrupted).exitCode).not.toBe(0);
    await canaryWith(1);
    const running = release.longhaul('deploy', 'v1.2.0', '--env', 'steered');
    const skip = () => release.longhaul('canary', 'skip', '--env', 'steered');
    const skipAt = (percent: number) =>
      expect.poll(async () => (await skip()).stdout, { timeout: 60_000 }).toContain(`api at ${percent}%`);
    await skipAt(10);
    await canaryWith(3);
    await skipAt(50);
    expect(await running).toMatchObject({ exitCode: 0 });
    expect(imageOf(await deployment('api'))).toBe('api:3');
    await expect
      .poll(() => cluster.kubectl(['get', 'deployments', '-n', 'shop', '-o', 'name']))
      .toBe('deployment.apps/api');
  });

  test('that fails by the metrics is put back', async ({ release }) => {
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'measured')).toMatchObject({ exitCode: 0 });
    await releasedAs(release, 'v1.3.0', release1('api:4-errors60', 'settings-4'));
    const before = await dumpOf(cluster);
    const { metadata } = await deployment('api', 'measured');
    const failed = await release.longhaul('deploy', 'v1.3.0', '--env', 'measured');
    expect(failed.stderr).toMatch(/The canary did not stay: [\d.]+ % of requests fail, 5 % may\./u);
    expect(failed.exitCode).toBe(11);
    expect(await dumpOf(cluster)).toEqual(before);
    expect((await deployment('api', 'measured')).metadata.generation).toBe(metadata.generation);
    release.replayed('deployment/local/acme/api/measured/v1.3.0');
  });
});
