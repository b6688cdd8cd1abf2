import { afterAll, beforeAll, describe, expect } from 'vitest';
import { auditedWrites } from '../../support/kubernetes/audit-log.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn, dumpOf, manifestsIn, releasedAs } from '../../support/release/deployments.ts';
import { releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

const environments = (more = ''): string => `environments:
  - name: staging
    context: test
    namespace: shop
    watch: 1s
    services: {api: {manifests: {folder: k8s}, ready: 60s${more}}}
`;

const selecting = (name: string, selector: object): Manifest => {
  const service = serviceOf(name);
  return { ...service, spec: { ...(service['spec'] as object), selector } };
};

/**
 * The Service `api` selects a label that only pods of one release have; `front` the Deployment of a color, which is
 * another one in each release.
 */
function objects(version: string, color: string): Readonly<Record<string, string>> {
  const api = workload('Deployment', 'api', `api:${version}-slow2s`, {
    replicas: 2,
    template: {
      metadata: { labels: { app: 'api', version } },
      spec: { containers: [{ name: 'app', image: `api:${version}-slow2s` }] },
    },
  });
  return manifestsIn(
    'k8s',
    selecting('api', { app: 'api', version }),
    api,
    selecting('front', { app: `front-${color}` }),
    workload('Deployment', `front-${color}`, 'front:1-slow2s'),
  );
}

describe('a Service whose new selector only new pods match', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  /** How many ready pods the EndpointSlice of a Service has had, from its first ready one to now: from the audit log. */
  async function readyOverTime(service: string): Promise<readonly number[]> {
    const writes = await auditedWrites(cluster.auditLog ?? '');
    const ready = writes
      .filter(
        ({ resource, name, code }) =>
          resource === 'endpointslices.discovery.k8s.io' && name.startsWith(`${service}-`) && code < 300,
      )
      .map(({ verb, body }) => {
        const { endpoints } = body as {
          readonly endpoints?: readonly { readonly conditions: { ready?: boolean } }[] | null;
        };
        return verb === 'delete' ? 0 : (endpoints ?? []).filter(({ conditions }) => conditions.ready).length;
      });
    return ready.slice(ready.findIndex((count) => count > 0));
  }
  const selectors = async () => {
    const { items } = await cluster.get<{
      readonly items: readonly { readonly metadata: { name: string }; readonly spec: { selector?: object } }[];
    }>('services', '-n', 'shop');
    return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, spec.selector]));
  };
  const backends = async (service: string): Promise<number> => (await readyOverTime(service)).at(-1) ?? 0;

  test('has ready pods at every moment of a deployment', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', { '.longhaul/environments.yaml': environments(), ...objects('1', 'blue') });
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    await expect.poll(() => backends('api'), { timeout: 30_000 }).toBe(2);
    await releasedAs(release, 'v1.1.0', objects('2', 'green'));
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    expect(await selectors()).toEqual({ api: { app: 'api', version: '2' }, front: { app: 'front-green' } });
    await expect.poll(() => backends('api'), { timeout: 30_000 }).toBe(2);
    expect(await readyOverTime('api')).not.toContain(0);
    expect(await readyOverTime('front')).not.toContain(0);
    release.replayed('deployment/local/acme/api/staging/v1.1.0');
  });

  test('has them when the deployment is undone', async ({ release }) => {
    const before = await dumpOf(cluster);
    await releasedAs(release, 'v1.2.0', {
      // when everything is ready, and has its new selector
      '.longhaul/environments.yaml': environments(
        ", hooks: {after: [{name: smoke, run: ['false'], down: {run: ['true']}, network: false}]}",
      ),
      ...objects('3', 'red'),
    });
    const undone = await release.longhaul('deploy', 'v1.2.0', '--env', 'staging');
    expect(undone).toMatchObject({
      exitCode: 11,
      stderr: expect.stringContaining('The hook smoke of api failed') as string,
    });
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await readyOverTime('api')).not.toContain(0);
    expect(await readyOverTime('front')).not.toContain(0);
    // it was there: what the oracle counts is not the release before
    const writes = await auditedWrites(cluster.auditLog ?? '');
    const given = writes.filter(
      ({ resource, name, isDryRun }) => resource === 'services' && name === 'api' && !isDryRun,
    );
    expect(JSON.stringify(given.map(({ body }) => body))).toContain('"version":"3"');
  });
});
