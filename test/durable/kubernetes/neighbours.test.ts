import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { clusterFolder, clusterIn, dumpOf, manifestsIn, releasedAs } from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
});

/** Environments of these names in the same namespace, each with a folder of its own. */
function environments(...names: readonly string[]): Readonly<Record<string, string>> {
  const one = (name: string): string => `
  - name: ${name}
    context: test
    namespace: shop
    watch: 1s
    services: {api: {manifests: {folder: k8s/${name}}, ready: 60s}}`;
  return { '.longhaul/environments.yaml': `environments:${names.map(one).join('')}\n` };
}

const settings = (name: string, mode = name): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { mode },
});

const blue = (...more: readonly Manifest[]) =>
  manifestsIn('k8s/blue', workload('Deployment', 'blue', 'app:1'), ...more);
const green = (...more: readonly Manifest[]) => manifestsIn('k8s/green', settings('green'), ...more);

describe('environments of one repository in the same namespace', { timeout: 300_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  const deploy = async (release: Release, version: string, environment: string): Promise<void> => {
    const ended = await release.longhaul('deploy', version, '--env', environment);
    expect([version, environment, ended.exitCode, ended.stderr]).toEqual([version, environment, 0, expect.any(String)]);
  };
  /** Nothing may have changed. */
  const refused = async (release: Release, why: string, ...args: readonly string[]): Promise<void> => {
    const before = await dumpOf(cluster);
    const ended = await release.longhaul(...args);
    expect(ended).toMatchObject({ exitCode: 9, stderr: expect.stringContaining(why) as string });
    expect(await dumpOf(cluster)).toEqual(before);
  };
  const ownerOf = async (name: string): Promise<string> =>
    cluster.kubectl([
      'get',
      name,
      '-n',
      'shop',
      '-o',
      String.raw`jsonpath={.metadata.annotations.longhaul/environment} {.metadata.uid}`,
    ]);
  const handOver = (name: string, environment: string): Promise<string> =>
    cluster.kubectl(['annotate', '--overwrite', name, '-n', 'shop', `longhaul/environment=${environment}`]);
  const image = (): Promise<string> =>
    cluster.kubectl(['get', 'deployment/blue', '-n', 'shop', '-o', 'jsonpath={..containers[0].image}']);
  const there = async (): Promise<readonly string[]> =>
    (await cluster.kubectl(['get', 'configmaps,deployments', '-n', 'shop', '-o', 'name']))
      .trim()
      .split('\n')
      .filter((name) => !name.includes('kube-root-ca'))
      .toSorted();

  test('have objects of their own: neither changes or deletes what the other one has', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', { ...environments('blue', 'green'), ...blue(settings('shared')), ...green() });
    await deploy(release, 'v1.0.0', 'blue');
    await deploy(release, 'v1.0.0', 'green');
    expect(await there()).toEqual(['configmap/green', 'configmap/shared', 'deployment.apps/blue']);

    // the very same object, too: green would delete it with a release that has not got it
    for (const [version, mode] of [
      ['v1.1.0', 'shared'],
      ['v1.1.1', 'other'],
    ] as const) {
      await releasedAs(release, version, green(settings('shared', mode)));
      const why =
        'configmap/shared in shop is of the environment blue: leave it out here, or deploy blue without it first.';
      await refused(release, why, 'deploy', version, '--env', 'green');
    }
    await deploy(release, 'v1.1.1', 'blue');
    release.replayed('deployment/local/acme/api/green/v1.1.0');
  });

  test('hand an object over: one deploys without it, then the other one has it; going back does not take it', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.2.0', { ...blue(), ...green(settings('shared')) });
    await deploy(release, 'v1.2.0', 'blue');
    expect(await there()).toEqual(['configmap/green', 'deployment.apps/blue']);
    await deploy(release, 'v1.2.0', 'green');
    expect(await ownerOf('configmap/shared')).toMatch(/^green /);
    const why = 'configmap/shared in shop is of the environment green: leave it out here';
    await refused(release, why, 'rollback', '--env', 'blue', '--to', 'v1.1.1');
  });

  test('leave alone what was handed over by its annotation', async ({ release }) => {
    await releasedAs(release, 'v1.3.0', blue(settings('kept')));
    await deploy(release, 'v1.3.0', 'blue');
    const [, uid] = (await ownerOf('configmap/kept')).split(' ');
    await handOver('configmap/kept', 'green');
    await releasedAs(release, 'v1.4.0', { ...blue(), ...green(settings('shared'), settings('kept')) });
    await deploy(release, 'v1.4.0', 'blue');
    await deploy(release, 'v1.4.0', 'green');
    expect(await ownerOf('configmap/kept')).toBe(`green ${uid}`);

    // the same while the deployment that would delete it waits for pods
    await releasedAs(release, 'v1.4.1', blue(settings('late')));
    await deploy(release, 'v1.4.1', 'blue');
    await releasedAs(release, 'v1.4.2', manifestsIn('k8s/blue', workload('Deployment', 'blue', 'app:2-slow8s')));
    const late = release.longhaul('deploy', 'v1.4.2', '--env', 'blue');
    await expect.poll(image, { timeout: 60_000 }).toBe('app:2-slow8s');
    await handOver('configmap/late', 'green');
    expect(await late).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('configmap/late in shop was taken over by another since the plan') as string,
    });
    expect([await image(), (await ownerOf('configmap/late')).split(' ')[0]]).toEqual(['app:1', 'green']);
  });

  test('are one when the name is changed: its objects are taken over as they are', async ({ release }) => {
    // what kubectl has written last is its own
    await handOver('configmap/kept', 'teal');
    await deployedAsTeal(release, 'v1.5.0', settings('green'), settings('shared'), settings('kept'));
    const owners = await Promise.all(['green', 'shared', 'kept'].map((name) => ownerOf(`configmap/${name}`)));
    expect(owners.map((owner) => owner.split(' ')[0])).toEqual(['teal', 'teal', 'teal']);
    await deployedAsTeal(release, 'v1.6.0', settings('green'), settings('shared', 'changed'));
    expect(await there()).toEqual(['configmap/green', 'configmap/late', 'configmap/shared', 'deployment.apps/blue']);
    // a release from before has both names again
    const why = 'configmap/green in shop is of the environment teal';
    await releasedAs(release, 'v1.7.0', environments('blue', 'green', 'teal'));
    await refused(release, why, 'deploy', 'v1.7.0', '--env', 'green');
  });

  async function deployedAsTeal(release: Release, version: string, ...objects: readonly Manifest[]): Promise<void> {
    await releasedAs(release, version, { ...environments('blue', 'teal'), ...manifestsIn('k8s/teal', ...objects) });
    await deploy(release, version, 'teal');
  }
});
