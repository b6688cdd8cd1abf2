import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn, dumpOf, manifestsIn, releasedAs } from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
/** Known when the cluster has started. */
const addresses: string[] = [];
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'], addresses } } },
});

const FROM = (repository: string): string => `from: {repository: ${repository}, path: shop.yaml}\n`;
const SHARED = 'local/acme/environments';

/** The file that repositories share. */
function shop(name: string, more = ''): string {
  return `
environments:
  - name: ${name}
    context: test
    namespace: shop
    watch: 2s
    failed_checks: 1
    services:
      api: {manifests: {folder: k8s/api}, ready: 60s${more}}
`;
}

const settings = (mode: string, name = 'settings'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { mode },
});

const api = (version: number, ...more: readonly Manifest[]) =>
  manifestsIn(
    'k8s/api',
    settings(`${version}`),
    serviceOf('api'),
    workload('Deployment', 'api', `api:${version}`),
    ...more,
  );

describe('an environment that several repositories share', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    addresses.push(cluster.service ?? '');
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  const image = (): Promise<string> =>
    cluster.kubectl(['get', 'deployments', '-n', 'shop', '-o', 'jsonpath={..containers[0].image}']);

  /** Changes the shared file, and returns the commit. */
  const share = (release: Release, text: string): Promise<string> =>
    release.estate.commit('acme/environments', { 'shop.yaml': text });

  /** The commits of the shared file that the deployments of a version were planned with. */
  const sharedOf = async (release: Release, version: string): Promise<readonly unknown[]> =>
    (
      await release.ledger.sql<{ shared: unknown }>(
        'SELECT shared FROM deployments WHERE version = $1 ORDER BY sequence',
        [version],
      )
    ).map(({ shared }) => shared);

  test('is read at one commit, which the plan, the ledger and people see', async ({ release }) => {
    await release.estate.create('acme/environments', { 'README.md': 'environments\n' });
    const first = await share(release, shop('staging'));
    await releasedAs(release, 'v1.0.0', { '.longhaul/environments.yaml': FROM(SHARED), ...api(1) });
    const checked = await release.longhaul('release', 'check');
    expect(checked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`shop.yaml of ${SHARED}`) as string });
    expect(await release.longhaul('environments', 'check')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('ready for deployments') as string,
    });
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    const source = { repository: SHARED, path: 'shop.yaml', commit: first };
    expect(await sharedOf(release, 'v1.0.0')).toEqual([source]);
    const { stdout } = await release.longhaul('deployments', 'list');
    const shown = await release.longhaul('deployments', 'show', stdout.slice(0, 13));
    expect(shown.stdout).toContain(`the environment is shop.yaml of ${SHARED} at ${first.slice(0, 12)}`);
    release.replayed('deployment/local/acme/api/staging/v1.0.0');
  });

  test('is what it was when a release was deployed, for the undo of the next one, and for going back', async ({
    release,
  }) => {
    const page = `${cluster.service}/shop/nothing/`;
    const second = await share(release, shop('staging', `, health: [{name: page, http: "${page}", interval: 1s}]`));
    await releasedAs(release, 'v1.1.0', api(2));
    const before = await dumpOf(cluster);
    // 10, and open for repair, if the release before were judged by the new check
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'staging')).toMatchObject({ exitCode: 11 });
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await sharedOf(release, 'v1.1.0')).toMatchObject([{ commit: second }]);

    const third = await share(release, shop('staging'));
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    expect(await sharedOf(release, 'v1.1.0')).toMatchObject([{ commit: second }, { commit: third }]);
    await share(release, shop('another'));
    const [{ shared: first }] = (await release.ledger.sql<{ shared: unknown }>(
      'SELECT shared FROM deployments ORDER BY sequence LIMIT 1',
    )) as [{ shared: unknown }];
    expect(await release.longhaul('rollback', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    expect(await image()).toBe('api:1');
    expect(await sharedOf(release, 'v1.0.0')).toEqual([first, first]);
    const gone = await release.longhaul('deploy', 'v1.1.0', '--env', 'staging');
    expect(gone).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('environments: another') as string });
  });

  test('is refused in one sentence when it is not there', async ({ release }) => {
    await releasedAs(release, 'v1.2.0', { '.longhaul/environments.yaml': FROM('local/acme/nothing') });
    const unknown = await release.longhaul('deploy', 'v1.2.0', '--env', 'staging');
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain(
      'The environments of local/acme/api come from shop.yaml of local/acme/nothing: Provider local has no repository local/acme/nothing.',
    );
    await share(release, FROM(SHARED));
    await releasedAs(release, 'v1.3.0', { '.longhaul/environments.yaml': FROM(SHARED) });
    const nested = await release.longhaul('deploy', 'v1.3.0', '--env', 'staging');
    expect(nested).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('has the environments itself') as string,
    });
  });

  test('has no object that two repositories deploy', async ({ release }) => {
    await share(release, shop('staging'));
    await releasedAs(release, 'v1.4.0', api(4, settings('ours', 'theirs')));
    await cluster.apply(
      {
        ...settings('theirs', 'theirs'),
        metadata: { name: 'theirs', annotations: { 'longhaul/repository': 'local/acme/web' } },
      },
      '--server-side',
      '--field-manager=longhaul',
      '-n',
      'shop',
    );
    const before = await dumpOf(cluster);
    const refused = await release.longhaul('deploy', 'v1.4.0', '--env', 'staging');
    expect(refused).toMatchObject({ exitCode: 9 });
    expect(refused.stderr).toContain('configmap/theirs in shop is of a release of local/acme/web');
    expect(await dumpOf(cluster)).toEqual(before);
    const own = JSON.parse(
      await cluster.kubectl(['get', 'configmap/settings', '-n', 'shop', '-o', 'jsonpath={.metadata.annotations}']),
    ) as object;
    expect(own).toMatchObject({ 'longhaul/repository': 'local/acme/api' });
  });
});
