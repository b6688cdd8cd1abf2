import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  openGate,
  releasedAs,
} from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

const environments = (irreversible: 'refuse' | 'gate') => ({
  '.longhaul/environments.yaml': `environments:
  - name: staging
    context: test
    namespace: shop
    watch: 1s
    irreversible: ${irreversible}
    services: {api: {manifests: {folder: k8s/api}, ready: 60s}}
`,
});

const claim: Manifest = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'uploads' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const WHY = 'persistentvolumeclaim/uploads in shop cannot be put back: its data would be lost.';

describe('a deployment that would delete a claim', { timeout: 300_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  const claims = (): Promise<string> => cluster.kubectl(['get', 'persistentvolumeclaims', '-n', 'shop', '-o', 'name']);
  const statuses = async (release: Release): Promise<readonly string[]> =>
    (await deploymentsIn(release, 'staging')).map(({ version, status }) => `${version} ${status}`);

  test('is refused', async ({ release }) => {
    const first = manifestsIn('k8s/api', claim, workload('Deployment', 'api', 'api:1'));
    await releasedAs(release, 'v1.0.0', { ...environments('refuse'), ...first });
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    await releasedAs(release, 'v1.1.0', manifestsIn('k8s/api', workload('Deployment', 'api', 'api:2')));
    const before = await dumpOf(cluster);
    const refused = await release.longhaul('deploy', 'v1.1.0', '--env', 'staging');
    expect(refused).toMatchObject({ exitCode: 9, stderr: expect.stringContaining(WHY) as string });
    expect(await dumpOf(cluster)).toEqual(before);
  });

  test('asks people where the environment says so: rejected, it changes nothing; approved, it deletes the claim', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.1.1', environments('gate'));
    const before = await dumpOf(cluster);
    const first = release.longhaul('deploy', 'v1.1.1', '--env', 'staging');
    const asked = await openGate(release);
    expect(asked.kind).toBe('irreversible');
    const { stdout } = await release.longhaul('inbox', '--json');
    expect(stdout).toContain(WHY);
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await release.longhaul('reject', asked.id, '--why', 'there is no backup')).toMatchObject({ exitCode: 0 });
    expect(await first).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('there is no backup') as string });
    expect(await dumpOf(cluster)).toEqual(before);

    const second = release.longhaul('deploy', 'v1.1.1', '--env', 'staging');
    const again = await openGate(release);
    expect([again.kind, again.id === asked.id]).toEqual(['irreversible', false]);
    await release.longhaul('approve', again.id, '--why', 'there is a backup now');
    expect(await second).toMatchObject({ exitCode: 0 });
    expect(await claims()).toBe('');
    expect(await statuses(release)).toEqual(['v1.0.0 deployed', 'v1.1.0 refused', 'v1.1.1 refused', 'v1.1.1 deployed']);
    const [{ id } = { id: '' }] = (await deploymentsIn(release, 'staging')).toReversed();
    const shown = await release.longhaul('deployments', 'show', id);
    expect(shown.stdout).toContain('approved by tester: there is a backup now');
    release.replayed('deployment/local/acme/api/staging/v1.1.1');
  });
});
