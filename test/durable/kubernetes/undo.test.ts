import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { CRASHES } from '../../support/kubernetes/crashes.ts';
import { listOf, type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  releasedAs,
} from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';
import { write } from '../../support/release/work.ts';
import type { Ended } from '../../support/command.ts';

const place = clusterFolder();
/** Known when the cluster has started. */
const addresses: string[] = [];
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { limited: { repositories: ['local/acme/*'], addresses } } },
});

/** The flow that has the lock. */
const LOCK = 'deploy/local/acme/api/staging';
const ALL = ['get', 'list', 'create', 'patch', 'update', 'delete'];

function environments(service: string, health = ''): string {
  return `
environments:
  - name: staging
    context: limited
    namespace: shop
    watch: 2s
    failed_checks: 4
    services:
      api: {manifests: {folder: k8s/api}, ready: 60s}
      web: {manifests: {folder: k8s/web}, ready: 60s, needs: [api]${health === '' ? '' : `, health: [{name: ${health}, http: "${service}/shop/web/", interval: 1s}]`}}
`;
}

const settings = (mode: string, name = 'settings'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { mode },
});

describe('an undo that fails', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    addresses.push(cluster.service ?? '');
    await cluster.kubectl(['create', 'serviceaccount', 'deployer', '-n', 'shop']);
    await permit(ALL);
    const bind = [
      'create',
      'rolebinding',
      'deployer',
      '-n',
      'shop',
      '--role=deployer',
      '--serviceaccount=shop:deployer',
    ];
    await cluster.kubectl(bind);
    const token = (await cluster.kubectl(['create', 'token', 'deployer', '-n', 'shop'])).trim();
    const config = JSON.parse(readFileSync(place.kubeconfig, 'utf8')) as {
      readonly users: readonly object[];
      readonly contexts: readonly { readonly context: object }[];
    };
    const context = { ...config.contexts[0]?.context, user: 'deployer' };
    const users = [{ name: 'deployer', user: { token } }];
    write(place.folder, {
      kubeconfig: JSON.stringify({ ...config, users, contexts: [{ name: 'limited', context }] }),
    });
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    place.remove();
  });

  /** What the account of the deployer may do with the objects of its releases. */
  async function permit(verbs: readonly string[]): Promise<void> {
    const rules = [
      { apiGroups: ['', 'apps'], resources: ['configmaps', 'services', 'deployments'], verbs },
      { apiGroups: ['', 'apps'], resources: ['pods', 'replicasets'], verbs: ['get', 'list'] },
    ];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'deployer' }, rules };
    await cluster.apply(listOf(role), '-n', 'shop');
  }

  /** Deploys a version that fails when the account has lost permissions. */
  async function deployWithout(
    release: Release,
    version: string,
    lost: readonly string[],
  ): Promise<{ ended: Promise<Ended> }> {
    release.faults.arm({
      activity: 'awaitReady',
      kind: 'is reached',
      onReached: () => permit(ALL.filter((verb) => !lost.includes(verb))),
    });
    const ended = release.longhaul('deploy', version, '--env', 'staging');
    await vi.waitFor(
      async () => {
        // 2: it has nothing to repair yet
        const { exitCode, stderr } = await release.longhaul('repair', LOCK);
        if (exitCode !== 1) throw new Error(stderr);
      },
      { timeout: 90_000, interval: 500 },
    );
    release.faults.arm(null);
    return { ended };
  }

  test('leaves the rest put back and the flow open, until a person has repaired it', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': environments(cluster.service ?? ''),
      ...manifestsIn('k8s/api', settings('one'), workload('Deployment', 'api', 'api:1')),
      ...manifestsIn('k8s/web', serviceOf('web'), workload('Deployment', 'web', 'web:1')),
    });
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    await releasedAs(release, 'v1.1.0', {
      ...manifestsIn('k8s/api', settings('two'), settings('new', 'extra'), workload('Deployment', 'api', 'api:2')),
      ...manifestsIn('k8s/web', serviceOf('web'), workload('Deployment', 'web', 'web:2-crash')),
    });
    const before = await dumpOf(cluster);
    const { ended } = await deployWithout(release, 'v1.1.0', ['delete']);
    const left = await release.longhaul('repair', LOCK);
    expect(left).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('configmap/extra in shop') as string });
    expect(left.stdout).toContain('kubectl --context=limited delete configmap extra --namespace=shop');
    expect(left.stdout).not.toContain('settings');
    // the lock is kept
    expect((await deploymentsIn(release, 'staging')).at(-1)).toMatchObject({ version: 'v1.1.0', status: 'not undone' });
    const shown = await release.longhaul('deployments', 'list', '--env', 'staging');
    expect(shown.stdout).toContain('not undone  ');
    const { 'ConfigMap/shop/extra': extra, 'Role/shop/deployer': _role, ...rest } = await dumpOf(cluster);
    const { 'Role/shop/deployer': _roleBefore, ...restBefore } = before;
    expect(extra).toMatchObject({ data: { mode: 'new' } });
    expect(rest).toEqual(restBefore);

    await permit(ALL);
    expect(await release.longhaul('repair', LOCK)).toMatchObject({ exitCode: 0, stdout: 'Everything is undone.\n' });
    expect(await ended).toMatchObject({
      exitCode: 11,
      stderr: expect.stringMatching(CRASHES) as string,
    });
    expect(await dumpOf(cluster)).toEqual(before);
    expect((await deploymentsIn(release, 'staging')).at(-1)).toMatchObject({ version: 'v1.1.0', status: 'undone' });
    for (const version of ['v1.0.0', 'v1.1.0']) release.replayed(`deployment/local/acme/api/staging/${version}`);
  });

  test('ends as it is when a person gives up; the next deployment takes over what is left', async ({ release }) => {
    await releasedAs(release, 'v1.2.0', {
      ...manifestsIn('k8s/api', settings('three'), settings('new', 'extra'), workload('Deployment', 'api', 'api:3')),
      ...manifestsIn('k8s/web', serviceOf('web'), workload('Deployment', 'web', 'web:3-crash')),
    });
    const { ended } = await deployWithout(release, 'v1.2.0', ['update', 'delete']);
    const given = await release.longhaul('repair', LOCK, '--give-up', '--why', 'by hand');
    expect(given.stdout).toContain('Undo by hand:');
    const [, id = '', position = ''] = /longhaul deployments before (\S+) (\d+)/u.exec(given.stdout) ?? [];
    const was = await release.longhaul('deployments', 'before', id, position);
    expect(was.stdout).toMatch(/^apiVersion: .*\nkind: /u);
    expect(await ended).toMatchObject({
      exitCode: 10,
      stderr: expect.stringContaining('Not everything could be undone') as string,
    });
    expect((await deploymentsIn(release, 'staging')).at(-1)).toMatchObject({ version: 'v1.2.0', status: 'not undone' });
    await permit(ALL);
    await releasedAs(release, 'v1.3.0', {
      ...manifestsIn('k8s/api', settings('four'), workload('Deployment', 'api', 'api:4')),
      ...manifestsIn('k8s/web', serviceOf('web'), workload('Deployment', 'web', 'web:4')),
    });
    expect(await release.longhaul('deploy', 'v1.3.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    expect(await cluster.kubectl(['get', 'configmaps', '-n', 'shop', '-o', 'name'])).not.toContain('extra');
  });

  test('says so when the version before is not healthy', async ({ release }) => {
    await releasedAs(release, 'v1.4.0', {
      '.longhaul/environments.yaml': environments(cluster.service ?? '', 'front page'),
      ...manifestsIn('k8s/web', serviceOf('web'), workload('Deployment', 'web', 'web:5')),
    });
    expect(await release.longhaul('deploy', 'v1.4.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    // then others break it: its Service leads to a pod that answers with errors
    await cluster.kubectl(['run', 'bad', '-n', 'shop', '--image=bad:1-errors100', '--labels=app=web']);
    await cluster.kubectl(['scale', 'deployment/web', '-n', 'shop', '--replicas=0']);
    await releasedAs(release, 'v1.5.0', {
      // by the checks of the version before: this one has others
      '.longhaul/environments.yaml': environments(cluster.service ?? '', 'another page'),
      ...manifestsIn('k8s/web', serviceOf('web'), workload('Deployment', 'web', 'web:6-crash')),
    });
    const { ended } = await deployWithout(release, 'v1.5.0', []);
    const left = await release.longhaul('repair', LOCK, '--give-up', '--why', 'it was broken before');
    expect(left.stdout).toContain('everything is as it was, and healthy: web: front page: it answered 500.');
    expect(await ended).toMatchObject({ exitCode: 10 });
  });
});
