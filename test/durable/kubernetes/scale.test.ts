import { afterAll, beforeAll, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn, manifestsIn, releasedAs } from '../../support/release/deployments.ts';
import { releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

/** Services, and objects of each. */
const [SERVICES, OBJECTS] = [50, 10];
const names = Array.from({ length: SERVICES }, (_, at) => `s${at}`);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterIn(place.folder);
}, CLUSTER_BUILD_MS);
afterAll(async () => {
  await cluster?.stop();
  place.remove();
});

/** Ten chains of five services each. */
const ENVIRONMENTS = `environments:
  - name: staging
    context: test
    namespace: shop
    watch: 1s
    services:
${names.map((name, at) => `      ${name}: {manifests: {folder: k8s/${name}}${at % 5 === 0 ? '' : `, needs: [s${at - 1}]`}}`).join('\n')}
`;

function manifests(name: string): Readonly<Record<string, string>> {
  const labels = { app: name };
  const settings = Array.from({ length: OBJECTS - 1 }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-${at}` },
    data: { text: 'x'.repeat(2_000) },
  }));
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
    },
  };
  return manifestsIn(`k8s/${name}`, ...settings, deployment);
}

test(
  '50 services with 500 objects are one deployment, whose history stays small',
  { timeout: 900_000 },
  async ({ release }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': ENVIRONMENTS,
      ...Object.fromEntries(names.flatMap((name) => Object.entries(manifests(name)))),
    });
    const { exitCode, stderr } = await release.longhaul('deploy', 'v1.0.0', '--env', 'staging');
    expect(exitCode, stderr).toBe(0);
    const ready = await cluster.get<{
      readonly items: readonly { readonly status: { readonly readyReplicas?: number } }[];
    }>('deployments', '--namespace=shop');
    expect(ready.items.filter(({ status }) => status.readyReplicas === 1)).toHaveLength(SERVICES);
    const settings = await cluster.kubectl(['get', 'configmaps', '--namespace=shop', '--output=name']);
    // and the authorities, which the cluster puts into each namespace
    expect(settings.trim().split('\n')).toHaveLength(SERVICES * (OBJECTS - 1) + 1);

    const id = 'deploy/local/acme/api/staging';
    const { events } = await release.client.workflow.getHandle(id).fetchHistory();
    const sizes = (events ?? []).map((event) => JSON.stringify(event).length);
    process.stderr.write(
      `a deployment of 50 services: ${sizes.length} events, the largest ${Math.max(...sizes)} bytes\n`,
    );
    expect(sizes.length).toBeLessThanOrEqual(2_000);
    // as JSON an event is larger than its payloads
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1_024);
    release.replayed(id);
  },
);
