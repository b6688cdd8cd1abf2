import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { defineHttpRoutes } from '../../support/kubernetes/gateway-api.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { type Prometheus, startPrometheus } from '../../support/kubernetes/prometheus.ts';
import { clusterFolder, clusterIn, dumpOf, manifestsIn, releasedAs } from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const addresses: string[] = [];
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'], addresses } } },
});

const PODS = 5;
const routeTo = (...backends: readonly string[]): Manifest => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop' },
  spec: {
    hostnames: ['shop.example'],
    rules: [{ backendRefs: backends.map((name) => ({ name, port: 80 })) }],
  },
});
const release1 = (image: string, ...more: readonly Manifest[]) =>
  manifestsIn('k8s', serviceOf('api'), workload('Deployment', 'api', image, { replicas: PODS }), ...more);

interface Route {
  readonly spec: {
    readonly rules: readonly { readonly backendRefs: readonly { readonly name: string; readonly weight: number }[] }[];
  };
}

describe('a canary behind an HTTPRoute', { timeout: 600_000 }, () => {
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

  function contract(canary: string): Readonly<Record<string, string>> {
    const of = 'namespace="measured"';
    const service = (more: string): string => `{api: {manifests: {folder: k8s}, ready: 60s${more}}}`;
    return {
      '.longhaul/environments.yaml': `environments:
  - name: steered
    context: test
    namespace: shop
    watch: 1s
    services: ${service(canary)}
  - name: measured
    context: test
    namespace: measured
    watch: 12s
    services: ${service(', canary: {steps: [10%], every: 1h, route: shop}')}
    metrics:
      prometheus: ${prometheus?.url}
      interval: 5s
      requests: {query: 'sum(increase(route_requests_total{${of}}[5s]))'}
      errors: {query: '(sum(rate(route_requests_total{${of},code=~"5.."}[5s])) or vector(0)) / sum(rate(route_requests_total{${of}}[5s]))'}
`,
    };
  }
  const byRoute = ', canary: {steps: [10%, 50%], every: 1h, route: shop}';

  const deploy = (release: Release, version: string, environment = 'steered') =>
    release.longhaul('deploy', version, '--env', environment);
  const weights = async (): Promise<Readonly<Record<string, number>>> => {
    const { spec } = await cluster.get<Route>('httproute', 'shop', '-n', 'shop');
    return Object.fromEntries(
      spec.rules.flatMap(({ backendRefs }) => backendRefs.map((ref) => [ref.name, ref.weight])),
    );
  };
  const untilWeights = (expected: Readonly<Record<string, number>>): Promise<void> =>
    vi.waitFor(async () => expect(await weights()).toEqual(expected), { timeout: 120_000, interval: 300 });
  /** Addresses behind a Service that are ready. */
  const behind = async (service: string): Promise<number> => {
    const { items } = await cluster.get<{
      readonly items: readonly { readonly endpoints: readonly { readonly conditions: { ready?: boolean } }[] | null }[];
    }>('endpointslices', '-n', 'shop', '-l', `kubernetes.io/service-name=${service}`);
    return items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready).length;
  };
  /** Requests to the route so far, by backend and status. */
  const requests = async (): Promise<Readonly<Record<string, number>>> => {
    const text = await (await fetch(`${cluster.service}/metrics`)).text();
    const lines = text.matchAll(/^route_requests_total\{backend="([^"]+)",code="(\d+)",namespace="shop".*\} (\d+)$/gmu);
    return Object.fromEntries([...lines].map(([, backend, code, count]) => [`${backend} ${code}`, Number(count)]));
  };
  const objects = () => cluster.kubectl(['get', 'deployments,services', '-n', 'shop', '-o', 'name']);
  const generation = async (): Promise<number> =>
    (await cluster.get<{ readonly metadata: { readonly generation: number } }>('deployment', 'api', '-n', 'shop'))
      .metadata.generation;

  test('is refused by a route that cannot give it a share of the requests', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', { ...contract(''), ...release1('api:1') });
    expect(await deploy(release, 'v1.0.0')).toMatchObject({ exitCode: 0 });
    const before = await dumpOf(cluster);
    const refused = async (version: string, why: string) => {
      expect(await deploy(release, version)).toMatchObject({
        exitCode: 9,
        stderr: expect.stringContaining(why) as string,
      });
    };
    await releasedAs(release, 'v1.0.1', { ...contract(byRoute), ...release1('api:2') });
    await refused('v1.0.1', 'the manifests of the service have no HTTPRoute shop');
    await releasedAs(release, 'v1.0.2', release1('api:2', routeTo('api')));
    await refused('v1.0.2', 'The cluster has no kind HTTPRoute');
    expect(await dumpOf(cluster)).toEqual(before);

    await defineHttpRoutes(cluster);
    await refused('v1.0.2', 'httproute.gateway.networking.k8s.io/shop in shop is not in the cluster');
    await cluster.apply(routeTo('other'), '-n', 'shop', '--server-side', '--field-manager=longhaul');
    await refused('v1.0.2', 'sends requests to no Service of the manifests that has pods of the canary');
    await cluster.apply(routeTo('api', 'other'), '-n', 'shop', '--server-side', '--field-manager=longhaul');
    await refused('v1.0.2', 'between several Services');
    await cluster.kubectl(['delete', 'httproute', 'shop', '-n', 'shop']);
  });

  test('gets the share of the requests that each step says, and is gone in the end', async ({ release }) => {
    await releasedAs(release, 'v1.1.0', { ...contract(''), ...release1('api:1', routeTo('api')) });
    expect(await deploy(release, 'v1.1.0')).toMatchObject({ exitCode: 0 });
    await untilWeights({ api: 1 });

    await releasedAs(release, 'v1.2.0', { ...contract(byRoute), ...release1('api:2', routeTo('api')) });
    const running = deploy(release, 'v1.2.0');
    await untilWeights({ api: 90, 'api-canary': 10 });
    expect([await behind('api'), await behind('api-canary')]).toEqual([PODS, 1]);
    const from = await requests();
    const since = async (): Promise<readonly [number, number]> => {
      const now = await requests();
      const count = (name: string): number => (now[`${name} 200`] ?? 0) - (from[`${name} 200`] ?? 0);
      return [count('api'), count('api-canary')];
    };
    await expect.poll(async () => (await since())[0], { timeout: 60_000 }).toBeGreaterThanOrEqual(90);
    const [stable, canary] = await since();
    expect(Math.round((100 * canary) / (stable + canary))).toBeGreaterThanOrEqual(8);
    expect(Math.round((100 * canary) / (stable + canary))).toBeLessThanOrEqual(12);

    const steer = (...args: readonly string[]) => release.longhaul('canary', ...args, '--env', 'steered');
    expect(await steer('skip')).toMatchObject({ exitCode: 0, stdout: 'api at 10%: the next step comes now\n' });
    await untilWeights({ api: 50, 'api-canary': 50 });
    expect([await behind('api'), await behind('api-canary')]).toEqual([PODS, 3]);
    expect(await steer('skip')).toMatchObject({ exitCode: 0, stdout: 'api at 50%: the next step comes now\n' });
    expect(await running).toMatchObject({ exitCode: 0 });
    expect(await weights()).toEqual({ api: 1 });
    expect((await objects()).trim().split('\n')).toEqual(['deployment.apps/api', 'service/api']);
    // no request to its backends has met a Service without pods
    expect(Object.keys(await requests()).filter((key) => /^api(-canary)? (?!200$)/u.test(key))).toEqual([]);
    const again = await release.longhaul('deploy', 'v1.2.0', '--env', 'steered', '--dry-run', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ plan: { counts: { create: 0, update: 0, delete: 0 } } });
    release.replayed('deployment/local/acme/api/steered/v1.2.0');
  });

  test('that a person aborts is put back with the route, and its workload was never changed', async ({ release }) => {
    // the release changes the route, too
    const { spec, ...rest } = routeTo('api');
    const changed = { ...rest, spec: { ...(spec as object), hostnames: ['shop.example', 'other.example'] } };
    await releasedAs(release, 'v1.3.0', release1('api:3', changed));
    const before = await dumpOf(cluster);
    const was = await generation();
    const running = deploy(release, 'v1.3.0');
    await untilWeights({ api: 90, 'api-canary': 10 });
    expect(await release.longhaul('canary', 'skip', '--env', 'steered')).toMatchObject({ exitCode: 0 });
    await untilWeights({ api: 50, 'api-canary': 50 });
    expect(await release.longhaul('canary', 'abort', '--env', 'steered')).toMatchObject({ exitCode: 0 });
    expect(await running).toMatchObject({ exitCode: 11, stderr: expect.stringContaining('aborted') as string });
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await generation()).toBe(was);
  });

  test('that fails is seen by its share of errors, and put back', async ({ release }) => {
    // there is nothing to compare the first release with
    expect(await deploy(release, 'v1.2.0', 'measured')).toMatchObject({ exitCode: 0 });
    await releasedAs(release, 'v1.4.0', release1('api:4-errors100', routeTo('api')));
    const before = await dumpOf(cluster);
    const failed = await deploy(release, 'v1.4.0', 'measured');
    const [, share] = /The canary did not stay: ([\d.]+) % of requests fail, 5 % may\./u.exec(failed.stderr) ?? [];
    // the first sample is of a few seconds, in which the canary may have had none
    expect(Number(share)).toBeGreaterThan(5);
    expect(Number(share)).toBeLessThan(20);
    expect(failed.exitCode).toBe(11);
    expect(await dumpOf(cluster)).toEqual(before);
  });
});
