import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { createTestLedger } from '../../support/ledger.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  openGate,
  releasedAs,
} from '../../support/release/deployments.ts';
import { MIGRATING, MIGRATION_FILES, migrationHook } from '../../support/release/migrations.ts';
import { releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const shop = await createTestLedger({ target: 0, password: randomBytes(9).toString('hex') });
const test = releaseTest(
  {
    deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
    pipelines: MIGRATING,
  },
  undefined,
  { SHOP_DATABASE: shop.logins.owner },
);

/** Seconds: an environment is gone back from meanwhile. */
const SOAK = 60;

/** The environments of a release; `services` are those of the environment `main`. */
function environments(services: string): string {
  const small = (name: string, more: string): string => `
  - name: ${name}
    context: test
    namespace: ${name}
    watch: 1s
    ${more}
    services: {api: {manifests: {folder: k8s/api}, ready: 60s}}`;
  return `environments:
  - name: main
    context: test
    namespace: shop
    watch: 1s
    services:${services}
${small('soaked', `soak: ${SOAK}s`)}
${small('next', '')}
${small('frozen', "freeze: [{name: winter, from: '2020-01-01T00:00', until: '2100-01-01T00:00'}]")}
`;
}

/** A column, when everything is ready with a row in it. */
const API = (name: string | null): string => `
      api:
        manifests: {folder: k8s/api}
        ready: 60s${name === null ? '' : `\n        hooks: {before: [${migrationHook(column(name))}], after: [${migrationHook(row(name))}]}`}`;
const WEB = `
      web: {manifests: {folder: k8s/web}, ready: 60s, needs: [api]}`;
const OLD = `
      old: {manifests: {folder: k8s/old}, ready: 60s}`;

/** Adds a column, which fails when it is there, and drops it, which fails when it is not. */
const column = (name: string): [string, string] => [
  `ALTER TABLE orders ADD COLUMN ${name} text`,
  `ALTER TABLE orders DROP COLUMN ${name}`,
];

/** Adds a row and deletes it, which both fail when the column is not there. */
const row = (name: string): [string, string] => [
  `INSERT INTO orders (id, ${name}) SELECT count(*), '${name}' FROM orders`,
  `DELETE FROM orders WHERE ${name} = '${name}'`,
];

const settings = (mode: string, name = 'settings'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { mode },
});

describe('an environment with several releases', { timeout: 600_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    for (const name of ['soaked', 'next', 'frozen']) await cluster.kubectl(['create', 'namespace', name]);
    await shop.sql('CREATE TABLE public.orders (id integer PRIMARY KEY)');
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    await shop.dispose();
    place.remove();
  });

  const columns = async (): Promise<readonly string[]> =>
    (
      await shop.sql<{ name: string }>(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY 1",
      )
    ).map(({ name }) => name);
  const rows = async (): Promise<number> =>
    (await shop.sql<{ count: number }>('SELECT count(*)::int AS count FROM public.orders'))[0]?.count ?? -1;
  const names = async (): Promise<readonly string[]> =>
    (await cluster.kubectl(['get', 'configmaps,deployments', '-n', 'shop', '-o', 'name']))
      .trim()
      .split('\n')
      .toSorted();
  const uidOf = async (name: string): Promise<string> =>
    cluster.kubectl(['get', name, '-n', 'shop', '-o', 'jsonpath={.metadata.uid}']);

  test('goes back step by step, and takes back the hooks of what it leaves, each once', async ({ release }) => {
    const deploy = async (version: string, ...args: readonly string[]) => {
      const ended = await release.longhaul('deploy', version, '--env', 'main', ...args);
      expect([version, ended.exitCode, ended.stderr]).toEqual([version, 0, expect.any(String)]);
    };
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': environments(API(null) + WEB + OLD),
      ...MIGRATION_FILES,
      ...manifestsIn('k8s/api', settings('one'), settings('shared', 'moved'), workload('Deployment', 'api', 'api:1')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:1')),
      ...manifestsIn('k8s/old', settings('one', 'old')),
    });
    await deploy('v1.0.0');
    const first = await dumpOf(cluster);
    const moved = await uidOf('configmap/moved');
    await releasedAs(release, 'v1.1.0', {
      '.longhaul/environments.yaml': environments(API('second') + WEB + OLD),
      ...manifestsIn('k8s/api', settings('two'), settings('shared', 'moved'), workload('Deployment', 'api', 'api:2')),
    });
    await deploy('v1.1.0');
    const second = await dumpOf(cluster);

    // an object is of another service now, and one service is gone
    await releasedAs(release, 'v1.2.0', {
      '.longhaul/environments.yaml': environments(API('third') + WEB),
      ...manifestsIn('k8s/api', settings('three'), workload('Deployment', 'api', 'api:3')),
      ...manifestsIn('k8s/web', settings('shared', 'moved'), workload('Deployment', 'web', 'web:3')),
    });
    await deploy('v1.2.0');
    expect(await uidOf('configmap/moved')).toBe(moved);
    expect(await names()).toEqual([
      'configmap/kube-root-ca.crt',
      'configmap/moved',
      'configmap/settings',
      'deployment.apps/api',
      'deployment.apps/web',
    ]);
    expect([...(await columns()), await rows()]).toEqual(['id', 'second', 'third', 2]);

    const back = await release.longhaul('rollback', '--env', 'main');
    expect(back).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('v1.1.0 is in main') as string });
    expect(withoutMarks(await dumpOf(cluster))).toEqual(withoutMarks(second));
    expect(await uidOf('configmap/moved')).toBe(moved);
    expect([...(await columns()), await rows()]).toEqual(['id', 'second', 1]);

    // not forward again
    const further = await release.longhaul('rollback', '--env', 'main');
    expect(further).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('v1.0.0 is in main') as string });
    expect(withoutMarks(await dumpOf(cluster))).toEqual(withoutMarks(first));
    expect([...(await columns()), await rows()]).toEqual(['id', 0]);
    const none = await release.longhaul('rollback', '--env', 'main');
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no other release') as string });

    for (const version of ['v1.1.0', 'v1.2.0']) await deploy(version);
    const never = await release.longhaul('rollback', '--env', 'main', '--to', 'v1.9.0');
    expect(never.exitCode).toBe(2);
    expect(await release.longhaul('rollback', '--env', 'main', '--to', 'v1.0.0')).toMatchObject({ exitCode: 0 });
    expect(withoutMarks(await dumpOf(cluster))).toEqual(withoutMarks(first));
    expect([...(await columns()), await rows()]).toEqual(['id', 0]);
    release.replayed('deployment/local/acme/api/main/v1.0.0');
    release.replayed('deployment/local/acme/api/main/v1.2.0');
  });

  test('deploys some of its services; the others stay as they are', async ({ release }) => {
    const image = (name: string): Promise<string> =>
      cluster.kubectl([
        'get',
        `deployment/${name}`,
        '-n',
        'shop',
        '-o',
        'jsonpath={.spec.template.spec.containers[0].image}',
      ]);
    const part = await release.longhaul('deploy', 'v1.2.0', '--env', 'main', '--service', 'web');
    // its objects are in another service there
    expect(part).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('is of the service api') as string });
    await releasedAs(release, 'v1.3.0', {
      '.longhaul/environments.yaml': environments(API(null) + WEB + OLD),
      ...manifestsIn('k8s/api', settings('four'), settings('shared', 'moved'), workload('Deployment', 'api', 'api:4')),
      ...manifestsIn('k8s/web', workload('Deployment', 'web', 'web:4')),
    });
    expect(await release.longhaul('deploy', 'v1.3.0', '--env', 'main', '--service', 'web')).toMatchObject({
      exitCode: 0,
    });
    expect([await image('api'), await image('web')]).toEqual(['api:1', 'web:4']);
    expect(await names()).toContain('configmap/old');
    expect(await release.longhaul('deploy', 'v1.3.0', '--env', 'main')).toMatchObject({ exitCode: 0 });
    expect([await image('api'), await image('web')]).toEqual(['api:4', 'web:4']);
    expect(await release.longhaul('deploy', 'v1.3.0', '--env', 'main', '--service', 'nothing')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('services: api, web, old') as string,
    });
  });

  test('a release goes on to the next environment after its soak time, unless people have gone back from it', async ({
    release,
  }) => {
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'soaked')).toMatchObject({ exitCode: 0 });
    const inNext = () => deploymentsIn(release, 'next');
    await expect
      .poll(inNext, { timeout: (SOAK + 120) * 1_000, interval: 1_000 })
      .toMatchObject([{ version: 'v1.0.0', status: 'deployed' }]);
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'soaked')).toMatchObject({ exitCode: 0 });
    expect(await release.longhaul('rollback', '--env', 'soaked')).toMatchObject({ exitCode: 0 });
    const waiting = release.client.workflow.getHandle('deployment/local/acme/api/next/v1.1.0/after-soak');
    await expect(waiting.result()).rejects.toMatchObject({
      cause: { type: 'DeploymentRefused', message: expect.stringContaining('soaked went back to v1.0.0') as string },
    });
    expect(await inNext()).toHaveLength(1);
    // people do not wait for the end of the soak time
    expect(await release.longhaul('deploy', 'v1.1.0', '--env', 'soaked')).toMatchObject({ exitCode: 0 });
    const urgent = await release.longhaul('deploy', 'v1.1.0', '--env', 'next', '--reason', 'orders are lost');
    expect(urgent.exitCode, urgent.stderr).toBe(0);
    await expect(waiting.result()).rejects.toMatchObject({
      cause: { type: 'DeploymentRefused', message: expect.stringContaining('next has v1.1.0 already') as string },
    });
    expect(await inNext()).toHaveLength(2);
  });

  test('is not changed during a freeze, unless a person gives a reason and another one agrees', async ({ release }) => {
    const frozen = await release.longhaul('deploy', 'v1.0.0', '--env', 'frozen');
    expect(frozen).toMatchObject({
      exitCode: 9,
      stderr: expect.stringContaining('The freeze "winter" is on until') as string,
    });
    const asked = release.longhaul('deploy', 'v1.0.0', '--env', 'frozen', '--override-freeze', 'the shop is down');
    const gate = await openGate(release);
    expect(gate.kind).toBe('freeze');
    await release.longhaul('approve', gate.id, '--why', 'it is');
    expect(await asked).toMatchObject({ exitCode: 0 });
    const [event] = await release.ledger.sql<{ why: string }>(
      "SELECT why FROM audit_events WHERE event_type = 'deployment.started' AND resource_id = 'frozen'",
    );
    expect(event?.why).toBe('the shop is down');
    const [deployment] = (await deploymentsIn(release, 'frozen')).toReversed();
    const { stdout } = await release.longhaul('deployments', 'show', deployment?.id ?? '');
    expect(stdout).toContain('during a freeze, because: the shop is down\napproved by tester: it is\n');
  });

  test('asks a person before the fourth attempt; namespaces that failed attempts made are gone', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.4.0', {
      ...manifestsIn(
        'k8s/api',
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made' } },
        { ...settings('five'), metadata: { name: 'inside', namespace: 'made' } },
        settings('shared', 'moved'),
        workload('Deployment', 'api', 'api:5-noimage'),
      ),
    });
    const before = await dumpOf(cluster);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const failed = await release.longhaul('deploy', 'v1.4.0', '--env', 'main');
      expect([attempt, failed.exitCode, failed.stderr]).toEqual([
        attempt,
        11,
        expect.stringContaining('ImagePullBackOff'),
      ]);
      expect(await dumpOf(cluster)).toEqual(before);
    }
    const fourth = release.longhaul('deploy', 'v1.4.0', '--env', 'main');
    const gate = await openGate(release);
    expect(gate.kind).toBe('attempts');
    await release.longhaul('reject', gate.id, '--why', 'mend it');
    expect(await fourth).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('mend it') as string });
    expect(await dumpOf(cluster)).toEqual(before);
  });
});

/** The objects without the annotations that name the deployment: going back is a deployment. */
function withoutMarks(dump: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(
    JSON.stringify(dump)
      .replaceAll(/"longhaul\/(release|deployment)":"[^"]*",?/gu, '')
      .replaceAll(',}', '}'),
  );
}
