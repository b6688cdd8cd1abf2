import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import {
  clusterFolder,
  clustersIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  releasedAs,
} from '../../support/release/deployments.ts';
import { releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
/** Known when the clusters have started. */
const addresses: string[] = [];
const repositories = ['local/acme/*'];
const test = releaseTest({
  deploy: {
    kubeconfig: place.kubeconfig,
    contexts: {
      us: { repositories, addresses },
      eu: { repositories, addresses },
      gone: { repositories, retired: true },
    },
    unreachable: '10s',
  },
});

/** The flow that has the lock. */
const LOCK = 'deploy/local/acme/api/production';

/** Two services, one of which may be in another cluster and namespace. */
function environments(web: string): string {
  return `
environments:
  - name: production
    context: us
    namespace: shop
    watch: 3s
    failed_checks: 1
    services:
      api: {manifests: {folder: k8s/api}, ready: 60s}
      web: {manifests: {folder: k8s/web}, ready: 60s, needs: [api], ${web}}
`;
}

/** Objects of both services have the same names, so their clusters or namespaces tell them apart. */
const ABROAD = 'context: eu';
const AT_HOME = 'namespace: mall';

const settings = (mode: string, name = 'settings'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { mode },
});

const api = (version: number, image = `api:${version}`, ...more: readonly Manifest[]) =>
  manifestsIn('k8s/api', settings(`${version}`), workload('Deployment', 'api', image), ...more);
const web = (version: number, image = `web:${version}`, ...more: readonly Manifest[]) =>
  manifestsIn('k8s/web', settings(`${version}`), serviceOf('web'), workload('Deployment', 'web', image), ...more);

describe('a release in several clusters', { timeout: 600_000 }, () => {
  let clusters: Record<'us' | 'eu', Cluster>;

  beforeAll(async () => {
    clusters = { ...(await clustersIn(place.folder, ['us', 'eu'])) };
    await clusters.us.kubectl(['create', 'namespace', 'mall']);
    addresses.push(...Object.values(clusters).map(({ service }) => service ?? ''));
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await Promise.all(Object.values(clusters).map((cluster) => cluster.stop()));
    place.remove();
  });

  const dumps = async () => ({ us: await dumpOf(clusters.us), eu: await dumpOf(clusters.eu) });
  const images = async (cluster: Cluster, namespace: string): Promise<string> =>
    cluster.kubectl([
      'get',
      'deployments',
      '-n',
      namespace,
      '-o',
      'jsonpath={.items[*].spec.template.spec.containers[0].image}',
    ]);

  test('is deployed in all of them, and every object is named with its cluster', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': environments(ABROAD),
      ...api(1),
      ...web(1, 'web:1', settings('old', 'extra')),
    });
    const checked = await release.longhaul('environments', 'check');
    expect(checked).toMatchObject({ exitCode: 0 });
    expect(checked.stdout).toMatch(/context us, namespace shop, cluster 1\.\S+, kubectl 1\.\S+, 2 objects/);
    expect(checked.stdout).toMatch(/context eu, namespace shop, cluster 1\.\S+, kubectl 1\.\S+, 4 objects/);
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'production')).toMatchObject({ exitCode: 0 });
    expect(await images(clusters.us, 'shop')).toBe('api:1');
    expect(await images(clusters.eu, 'shop')).toBe('web:1');
    const [{ id } = { id: '' }] = await deploymentsIn(release, 'production');
    const { stdout } = await release.longhaul('deployments', 'show', id);
    expect(stdout).toContain('create configmap/settings in shop (api): applied');
    expect(stdout).toContain('create configmap/settings in shop (context eu) (web): applied');
    const events = await release.ledger.sql<{ contexts: string[] }>(
      `SELECT details_json->'contexts' AS contexts FROM audit_events WHERE event_type LIKE 'deployment.%' ORDER BY event_id`,
    );
    expect(events.map(({ contexts }) => contexts)).toEqual([
      ['eu', 'us'],
      ['eu', 'us'],
    ]);
    release.replayed('deployment/local/acme/api/production/v1.0.0');
  });

  test('that fails in the last one is put back in all of them', async ({ release }) => {
    await releasedAs(release, 'v1.1.0', {
      ...api(2, 'api:2', settings('new', 'extra')),
      ...web(2, 'web:2-crash', settings('new', 'more')),
    });
    const before = await dumps();
    const failed = await release.longhaul('deploy', 'v1.1.0', '--env', 'production');
    expect(failed).toMatchObject({ exitCode: 11, stderr: expect.stringMatching(CRASHES) as string });
    expect(failed.stderr).toContain('deployment.apps/web in shop (context eu)');
    expect(await dumps()).toEqual(before);
    expect((await deploymentsIn(release, 'production')).at(-1)).toMatchObject({ version: 'v1.1.0', status: 'undone' });
    release.replayed('deployment/local/acme/api/production/v1.1.0');
  });

  test('whose service moves is made in the new cluster and deleted in the old one, or neither', async ({ release }) => {
    const page = `${clusters.us.service}/mall/web/`;
    await releasedAs(release, 'v1.2.0', {
      '.longhaul/environments.yaml': environments(`${AT_HOME}, health: [{name: page, http: "${page}", interval: 1s}]`),
      ...api(3),
      ...web(3, 'web:3-errors100'),
    });
    const before = await dumps();
    const plan = await release.longhaul('deploy', 'v1.2.0', '--env', 'production', '--dry-run');
    expect(plan.stdout).toContain('3 are created, 2 changed, 4 deleted');
    // everything is deleted in the old cluster when the watch sees that the new one is not healthy
    const failed = await release.longhaul('deploy', 'v1.2.0', '--env', 'production');
    expect(failed).toMatchObject({ exitCode: 11, stderr: expect.stringContaining('it answered 500') as string });
    expect(await dumps()).toEqual(before);
    const [undone] = (await deploymentsIn(release, 'production')).toReversed();
    const shown = await release.longhaul('deployments', 'show', undone?.id ?? '');
    expect(shown.stdout).toContain('delete deployment.apps/web in shop (context eu) (web): undone');

    await releasedAs(release, 'v1.3.0', { ...web(4) });
    expect(await release.longhaul('deploy', 'v1.3.0', '--env', 'production')).toMatchObject({ exitCode: 0 });
    expect([await images(clusters.us, 'shop'), await images(clusters.us, 'mall')]).toEqual(['api:3', 'web:4']);
    expect(await clusters.eu.kubectl(['get', 'deployments,services', '-n', 'shop', '-o', 'name'])).toBe('');
    // back to where it was
    expect(await release.longhaul('rollback', '--env', 'production')).toMatchObject({ exitCode: 0 });
    expect([await images(clusters.us, 'shop'), await images(clusters.eu, 'shop')]).toEqual(['api:1', 'web:1']);
    for (const version of ['v1.2.0', 'v1.3.0']) release.replayed(`deployment/local/acme/api/production/${version}`);
  });

  test('is put back in the others when one goes away in the middle, and in that one when it is repaired', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.4.0', { '.longhaul/environments.yaml': environments(ABROAD), ...api(5), ...web(5) });
    const before = await dumps();
    let waits = 0;
    release.faults.arm({
      activity: 'awaitReady',
      kind: 'is reached',
      // of the second service
      onReached: async () => void (++waits === 2 && (await clusters.eu.stop('SIGKILL'))),
    });
    const ended = release.longhaul('deploy', 'v1.4.0', '--env', 'production');
    await vi.waitFor(
      async () => {
        // 2: it has nothing to repair yet
        const { exitCode, stderr } = await release.longhaul('repair', LOCK);
        if (exitCode !== 1) throw new Error(stderr);
      },
      { timeout: 180_000, interval: 1_000 },
    );
    release.faults.arm(null);
    expect(await dumpOf(clusters.us)).toEqual(before.us);
    const left = await release.longhaul('repair', LOCK);
    expect(left).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('the objects of web') as string });
    expect(left.stdout).toContain('in the context eu');
    expect(left.stdout).not.toContain('the objects of api');
    // the lock is kept
    expect((await deploymentsIn(release, 'production')).at(-1)).toMatchObject({ status: 'not undone' });

    clusters.eu = await startCluster(join(place.folder, 'eu'));
    expect(await release.longhaul('repair', LOCK)).toMatchObject({ exitCode: 0, stdout: 'Everything is undone.\n' });
    expect(await ended).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('in the context eu') as string });
    expect(await dumps()).toEqual(before);
    expect((await deploymentsIn(release, 'production')).at(-1)).toMatchObject({ version: 'v1.4.0', status: 'undone' });
    release.replayed('deployment/local/acme/api/production/v1.4.0');
  });

  test('is refused before the first change while one of them is away, until it is retired', async ({ release }) => {
    const before = await dumpOf(clusters.us);
    await clusters.eu.stop();
    const refused = await release.longhaul('deploy', 'v1.4.0', '--env', 'production');
    expect(refused).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('in the context eu') as string });
    expect(await dumpOf(clusters.us)).toEqual(before);
    // a service that has nothing there
    expect(
      await release.longhaul('deploy', 'v1.4.0', '--env', 'production', '--service', 'api', '--dry-run'),
    ).toMatchObject({ exitCode: 0 });

    await releasedAs(release, 'v1.5.0', { '.longhaul/environments.yaml': environments(AT_HOME), ...web(6) });
    // what earlier deployments made there would have to be deleted
    const leaving = await release.longhaul('deploy', 'v1.5.0', '--env', 'production');
    expect(leaving).toMatchObject({
      exitCode: 9,
      stderr: expect.stringContaining('deploy.contexts.eu.retired') as string,
    });
    await release.ledger.sql("UPDATE longhaul.deployment_objects SET context = 'gone' WHERE context = 'eu'");
    expect(await release.longhaul('deploy', 'v1.5.0', '--env', 'production')).toMatchObject({ exitCode: 0 });
    expect([await images(clusters.us, 'shop'), await images(clusters.us, 'mall')]).toEqual(['api:5', 'web:6']);
  });
});
