import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type AuditedWrite, auditedWrites } from '../../support/kubernetes/audit-log.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { type Manifest, serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { AFTER, BEFORE, RESOURCES } from '../../support/kubernetes/all-kinds.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { createTestLedger } from '../../support/ledger.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  releasedAs,
} from '../../support/release/deployments.ts';
import { MIGRATING, MIGRATION_FILES, migrationHook } from '../../support/release/migrations.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';
import { contentsOf, formsOf, historiesOf, rowsOf } from '../../support/secret-search.ts';

const place = clusterFolder();
/** The database of the shop. */
const shop = await createTestLedger({ target: 0, password: `shop+Password~${randomBytes(9).toString('hex')}` });
/** Known when the cluster has started. */
const addresses: string[] = [];
const test = releaseTest(
  {
    deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'], addresses } } },
    pipelines: MIGRATING,
  },
  undefined,
  { SHOP_DATABASE: shop.logins.owner },
);

/** Passwords in the Secret of each release. The repository has them written backwards: only the rendered manifests have them. */
const PASSWORDS = { old: 'old-Login_of+the/shop-0123456789', new: 'new-Login_of+the/shop-9876543210' };

const FIRST = ['CREATE TABLE IF NOT EXISTS orders (id integer PRIMARY KEY)', 'DROP TABLE IF EXISTS orders'] as const;
const NEXT = [
  'ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text',
  'ALTER TABLE orders DROP COLUMN IF EXISTS note',
] as const;

function environments(service: string, statements: readonly [string, string]): string {
  return `
environments:
  - name: staging
    context: test
    namespace: shop
    watch: 8s
    services:
      api:
        manifests: {command: "sed s,PASSWORD,$(rev password), k8s/api/all.yaml"}
        ready: 60s
        hooks:
          before:
            - ${migrationHook(statements)}
      web:
        needs: [api]
        manifests: {folder: k8s/web}
        ready: 60s
        health: [{name: front page, http: "${service}/shop/web/", interval: 1s}]
`;
}

const reversed = (text: string): string => text.split('').toReversed().join('');

const web = (image: string): readonly Manifest[] => [serviceOf('web'), workload('Deployment', 'web', image)];

interface Row {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly change: 'create' | 'update' | 'delete' | 'none';
  readonly state: 'planned' | 'applied' | 'undone' | 'left';
}

/** The writes that an object of a deployment accounts for, each verb once however often it was needed. */
function accountedFor({ change, state }: Row): readonly string[] {
  const forward = { create: ['patch'], update: ['patch'], delete: ['delete'], none: [] }[change];
  const back = { create: ['delete'], update: ['update'], delete: ['create', 'update'], none: [] }[change];
  if (state === 'planned') return [];
  return state === 'undone' ? [...forward, ...back] : forward;
}

const keyOf = (resource: string | undefined, namespace: string, name: string, verb: string): string =>
  `${verb} ${resource} ${namespace}/${name}`;

/** Writes of Longhaul: the audit log does not name the manager of a deletion. */
function isOfLonghaul({ user, isDryRun, code, verb, manager }: AuditedWrite): boolean {
  return user === 'admin' && !isDryRun && code < 300 && (manager === 'longhaul' || verb === 'delete');
}

describe('a release that changes objects of all kinds', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let service: string;
  const outputs: string[] = [];

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    service = cluster.service ?? '';
    addresses.push(service);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    await shop.dispose();
    place.remove();
  });

  /** The writes of Longhaul so far, each object and verb once. */
  async function writes(): Promise<readonly AuditedWrite[]> {
    return (await auditedWrites(cluster.auditLog ?? '')).filter(isOfLonghaul);
  }

  /** Deploys, and compares the writes in the audit log with the objects in the ledger. Returns what it said. */
  async function deployed(release: Release, version: string, exitCode: number): Promise<string> {
    const before = (await writes()).length;
    const ended = await release.longhaul('deploy', version, '--env', 'staging');
    outputs.push(ended.stdout, ended.stderr);
    expect([version, ended.exitCode, ended.stderr]).toEqual([version, exitCode, expect.any(String)]);
    const [deployment] = (await deploymentsIn(release, 'staging')).toReversed();
    const rows = await release.ledger.sql<Row>(
      'SELECT kind, namespace, name, change, state FROM deployment_objects WHERE deployment_id = $1',
      [deployment?.id],
    );
    const expected = rows.flatMap((row) =>
      accountedFor(row).map((verb) => keyOf(RESOURCES[row.kind], row.namespace, row.name, verb)),
    );
    const made = async (): Promise<readonly string[]> => {
      const found = (await writes()).slice(before);
      return [...new Set(found.map(({ resource, namespace, name, verb }) => keyOf(resource, namespace, name, verb)))];
    };
    await expect.poll(async () => (await made()).toSorted()).toEqual(expected.toSorted());
    const diff = await release.longhaul('deployments', 'diff', deployment?.id ?? '');
    const shown = await release.longhaul('deployments', 'show', deployment?.id ?? '');
    outputs.push(diff.stdout, shown.stdout);
    return ended.stderr;
  }

  const columns = (): Promise<readonly { readonly column_name: string }[]> =>
    shop.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY 1");

  test('is undone as a whole when a later service fails, or the watch ends badly, and deploys when it is mended', async ({
    release,
  }) => {
    await releasedAs(release, 'v1.0.0', {
      '.longhaul/environments.yaml': environments(service, FIRST),
      ...MIGRATION_FILES,
      password: reversed(PASSWORDS.old),
      ...manifestsIn('k8s/api', ...BEFORE),
      ...manifestsIn('k8s/web', ...web('web:1')),
    });
    await deployed(release, 'v1.0.0', 0);
    await shop.sql('INSERT INTO public.orders VALUES (1)');
    const before = await dumpOf(cluster);
    expect(JSON.stringify(before)).toContain(Buffer.from(PASSWORDS.old).toString('base64'));

    await releasedAs(release, 'v1.1.0', {
      '.longhaul/environments.yaml': environments(service, NEXT),
      password: reversed(PASSWORDS.new),
      ...manifestsIn('k8s/api', ...AFTER),
      ...manifestsIn('k8s/web', ...web('web:2-crash')),
    });
    expect(await deployed(release, 'v1.1.0', 11)).toContain('web did not become ready');
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await columns()).toEqual([{ column_name: 'id' }]);

    // ready, then not: what the release has not is deleted by then
    await releasedAs(release, 'v1.1.1', manifestsIn('k8s/web', ...web('web:2-fails2s')));
    expect(await deployed(release, 'v1.1.1', 11)).toContain('3 times in a row');
    expect(
      (await writes()).filter(({ resource, verb }) => `${verb} ${resource}` === 'create ingresses.networking.k8s.io'),
    ).toHaveLength(1);
    expect(await dumpOf(cluster)).toEqual(before);
    expect(await columns()).toEqual([{ column_name: 'id' }]);

    await releasedAs(release, 'v1.1.2', manifestsIn('k8s/web', ...web('web:2')));
    await deployed(release, 'v1.1.2', 0);
    const after = await dumpOf(cluster);
    expect(Object.keys(after).filter((name) => !(name in before))).toEqual(['CronJob/shop/report']);
    expect(Object.keys(before).filter((name) => !(name in after))).toEqual(['Ingress/shop/front']);
    expect(JSON.stringify(after)).toContain(Buffer.from(PASSWORDS.new).toString('base64'));
    expect(await columns()).toEqual([{ column_name: 'id' }, { column_name: 'note' }]);
    expect(await shop.sql('SELECT id FROM public.orders')).toEqual([{ id: 1 }]);
    expect((await deploymentsIn(release, 'staging')).map(({ version, status }) => [version, status])).toEqual([
      ['v1.0.0', 'deployed'],
      ['v1.1.0', 'undone'],
      ['v1.1.1', 'undone'],
      ['v1.1.2', 'deployed'],
    ]);
    for (const version of ['v1.0.0', 'v1.1.0', 'v1.1.1', 'v1.1.2'])
      release.replayed(`deployment/local/acme/api/staging/${version}`);
  });

  test('leaves no secret in histories, ledger, blobs, and the output of commands', async ({ release }) => {
    const { client, ledger, estate } = release;
    const places: Readonly<Record<string, readonly [text: string, ...markers: string[]]>> = {
      histories: [await historiesOf(client), 'migrate of api: up', 'apply web'],
      'the ledger': [await rowsOf(ledger), 'CronJob', 'deployment.undone', 'front page'],
      blobs: [contentsOf(estate.dataDir), 'migrated', 'secret/login', 'age-encryption.org/v1'],
      'the output of commands': [outputs.join('\n'), 'secret/login', 'web did not become ready'],
    };
    const secrets = { ...PASSWORDS, 'the password of the shop': new URL(shop.logins.owner).password };
    const found = Object.entries(places).flatMap(([where, [content, ...markers]]) => [
      ...markers.filter((marker) => !content.includes(marker)).map((marker) => `${where} does not have ${marker}`),
      ...Object.entries(secrets).flatMap(([name, secret]) =>
        formsOf(secret)
          .filter((form) => content.includes(form))
          .map((form) => `${where} has ${name} as ${form}`),
      ),
    ]);
    expect(found).toEqual([]);
  });
});
