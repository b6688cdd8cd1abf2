import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { releaseTest, REPOSITORY } from '../../support/release/releases.ts';
import { commit, write } from '../../support/release/work.ts';
import { git } from '../../support/scratch-git.ts';

const folder = mkdtempSync(join(tmpdir(), 'longhaul-environments-'));
const kubeconfig = join(folder, 'kubeconfig');
const test = releaseTest({
  deploy: {
    kubeconfig,
    contexts: {
      test: { repositories: ['local/acme/*'] },
      guest: { repositories: ['local/acme/api'], addresses: ['http://127.0.0.1:9'] },
      nowhere: { repositories: ['*/*/*'] },
      others: { repositories: ['local/other/*'] },
    },
  },
});

const OBJECTS = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: "app:1"}]}
`;

const ENVIRONMENTS = `
environments:
  - name: staging
    context: test
    namespace: shop
    services:
      api: {manifests: {folder: k8s}}
      keys: {manifests: {command: ./keys.sh}}
  - name: production
    context: guest
    namespace: shop
    services:
      api: {manifests: {command: 'sed s/:1/:2/ k8s/api.yaml'}}
      cart: {manifests: {run: [cat, cart.yaml]}, needs: [api]}
    metrics:
      prometheus: http://127.0.0.1:9
      requests: {query: sum(http_requests_total)}
  - name: elsewhere
    context: nowhere
    namespace: shop
    services: {api: {manifests: {folder: k8s}}}
  - name: theirs
    context: others
    namespace: shop
    services: {api: {manifests: {folder: k8s}}}
`;

/** What the command prints. */
interface CheckedOutput {
  readonly environments: readonly {
    readonly name: string;
    readonly clusters: readonly { readonly objects: number }[];
    readonly problems: string[];
  }[];
}

/** Renders a Secret whose value is in no file. */
const KEYS = `#!/bin/bash
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {a: %s-%s}\ndata: {b: %s}\n' \\
  horse staple "$(printf %s-%s horse staple | base64)"
`;
const VALUES = ['horse-staple', Buffer.from('horse-staple').toString('base64')];

describe('longhaul environments check', { timeout: 180_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster(join(folder, 'cluster'));
    await cluster.kubectl(['create', 'namespace', 'shop']);
    await cluster.kubectl(['create', 'serviceaccount', 'guest', '-n', 'shop']);
    // may read and apply, and may not delete
    const verbs = '--verb=get,create,patch,update';
    await cluster.kubectl(['create', 'role', 'guest', '-n', 'shop', verbs, '--resource=configmaps,deployments.apps']);
    const binding = ['create', 'rolebinding', 'guest', '-n', 'shop', '--role=guest', '--serviceaccount=shop:guest'];
    await cluster.kubectl(binding);
    const token = (await cluster.kubectl(['create', 'token', 'guest', '-n', 'shop'])).trim();
    const config = JSON.parse(await cluster.kubectl(['config', 'view', '--minify', '--raw', '-o', 'json'])) as {
      readonly contexts: readonly { readonly name: string; readonly context: object }[];
      readonly users: readonly object[];
    };
    const [first] = config.contexts;
    write(folder, {
      kubeconfig: JSON.stringify({
        ...config,
        users: [...config.users, { name: 'guest', user: { token } }],
        contexts: [
          { ...first, name: 'test' },
          { name: 'guest', context: { ...first?.context, user: 'guest' } },
        ],
      }),
    });
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('says for each environment what a deployment would lack, and exits with 1', async ({ release }) => {
    write(release.clone, {
      '.longhaul/environments.yaml': ENVIRONMENTS,
      'k8s/api.yaml': OBJECTS,
      'keys.sh': KEYS,
      'cart.yaml': 'apiVersion: shop.example/v1\nkind: Cart\nmetadata: {name: one}\n',
    });
    chmodSync(join(release.clone, 'keys.sh'), 0o755);
    commit(release.clone, 'chore: environments');
    git(release.clone, 'push', '--quiet', 'origin', 'HEAD');

    const { exitCode, stdout } = await release.longhaul('environments', 'check', '--json');
    expect(exitCode).toBe(1);
    const { environments } = JSON.parse(stdout) as CheckedOutput;
    const [staging, production, elsewhere, theirs] = environments;
    expect(theirs?.problems).toEqual([
      'The worker does not let local/acme/api use the context others: allow it in deploy.contexts of its longhaul.yaml.',
    ]);
    expect(staging).toMatchObject({ name: 'staging', clusters: [{ objects: 3 }], problems: [] });
    expect(production?.clusters).toMatchObject([{ objects: 3 }]);
    expect(production?.problems).toEqual([
      'The cluster has no kind Cart of shop.example/v1, which cart.shop.example/one in shop is.',
      'The account of the context may not delete configmaps in shop.',
      'The account of the context may not delete deployments.apps in shop.',
      'The account of the context may not list pods in shop.',
      'The account of the context may not list replicasets.apps in shop.',
      expect.stringMatching(/^The query for requests says nothing: Prometheus did not answer/),
    ]);
    expect(elsewhere?.problems).toEqual([expect.stringContaining('context "nowhere" does not exist')]);

    const one = await release.longhaul('environments', 'check', '--env', 'staging');
    expect(one).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ready for deployments') as string });
    const none = await release.longhaul('environments', 'check', '--env', 'moon');
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain('environments: staging, production, elsewhere, theirs');
    const commitNow = git(release.clone, 'rev-parse', 'HEAD').trim();
    const flow = `environments/${REPOSITORY}/all/${commitNow}`;
    release.replayed(flow);

    const history = await release.client.workflow.getHandle(flow).fetchHistory();
    const text = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    expect(text).toContain('renderManifests');
    const stored = readdirSync(join(release.estate.dataDir, 'blobs'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(stored.length).toBeGreaterThan(3);
    for (const value of VALUES) {
      for (const place of [text, ...stored]) expect(place.includes(value)).toBe(false);
    }
  });

  test('a service whose manifests are not rendered is a problem of its environment, with what its program said', async ({
    release,
  }) => {
    const broken = ENVIRONMENTS.replace("'sed s/:1/:2/ k8s/api.yaml'", "'echo no chart >&2; exit 3'");
    write(release.clone, { '.longhaul/environments.yaml': broken });
    commit(release.clone, 'chore: break them');
    const { exitCode, stdout } = await release.longhaul('environments', 'check', '--env', 'production', '--json');
    expect(exitCode).toBe(1);
    const { environments } = JSON.parse(stdout) as CheckedOutput;
    expect(environments[0]?.problems.slice(0, 2)).toEqual([
      'The manifests of api in production were not rendered: it exited with 3. It said: no chart',
      // the other one is asked about
      'The cluster has no kind Cart of shop.example/v1, which cart.shop.example/one in shop is.',
    ]);
  });
});
