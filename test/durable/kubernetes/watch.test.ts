import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { type Prometheus, startPrometheus } from '../../support/kubernetes/prometheus.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  dumpOf,
  manifestsIn,
  openGate,
  releasedAs,
} from '../../support/release/deployments.ts';
import { releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
/** Known when the servers have started. */
const addresses: string[] = [];
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'], addresses } } },
});

/** A server on a port where none listens: port 9 is that of the service `discard`. */
const NO_SERVER = 'http://127.0.0.1:9';
/** What Prometheus, or the server that stands for it, says where there is nothing to say. */
const WITHOUT_DATA = ['no-server', 'no-sample', 'not-a-number', 'few-requests', 'broken-server'] as const;

/** An environment in a namespace of its own. */
function environment(name: string, more: string, health = ''): string {
  return `
  - name: ${name}
    context: test
    namespace: ${name}
${more}
    services: {api: {manifests: {folder: k8s}, ready: 60s${health}}}
`;
}

interface Metrics {
  readonly prometheus: string;
  readonly requests?: string;
  readonly least?: number;
  readonly errors?: string;
}

function metrics(namespace: string, { prometheus, requests, least = 20, errors }: Metrics): string {
  const of = `namespace="${namespace}",service="api"`;
  const total = `sum(rate(http_requests_total{${of}}[5s]))`;
  const failing = `sum(rate(http_requests_total{${of},code=~"5.."}[5s])) / ${total}`;
  const slow = `histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{${of}}[5s])))`;
  return `    metrics:
      prometheus: ${prometheus}
      interval: 1s
      requests: {query: '${requests ?? `sum(increase(http_requests_total{${of}}[5s]))`}', least: ${least}}
      errors: {query: '${errors ?? failing}'}
      latency: {query: '${slow}'}`;
}

describe('the watch of a deployment', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let prometheus: Prometheus;
  let helper: Server;
  let helperUrl: string;
  /** What the helper answers to health checks next; 200 when it is empty. */
  const answers: number[] = [];
  let asked = 0;

  beforeAll(async () => {
    cluster = await clusterIn(place.folder);
    for (const name of ['probed', ...WITHOUT_DATA]) await cluster.kubectl(['create', 'namespace', name]);
    prometheus = await startPrometheus(join(place.folder, 'prometheus'), cluster.service ?? '');
    helper = createServer(({ url }, response) => {
      if (url !== '/health') {
        response.writeHead(500).end('out of order');
        return;
      }
      asked++;
      response.writeHead(answers.shift() ?? 200).end();
    }).listen(0, '127.0.0.1');
    await once(helper, 'listening');
    helperUrl = `http://127.0.0.1:${(helper.address() as AddressInfo).port}`;
    addresses.push(prometheus.url, helperUrl, NO_SERVER);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    helper?.close();
    await prometheus?.stop();
    await cluster?.stop();
    place.remove();
  });

  function environments(): string {
    const { url } = prometheus;
    const few = (name: string, given: Metrics): string => environment(name, `    watch: 3s\n${metrics(name, given)}`);
    return `environments:${[
      environment('staging', `    watch: 12s\n${metrics('shop', { prometheus: url })}`).replace(
        'namespace: staging',
        'namespace: shop',
      ),
      environment(
        'probed',
        '    watch: 8s',
        `, health: [{name: front page, http: "${helperUrl}/health", interval: 1s}]`,
      ),
      few('no-server', { prometheus: NO_SERVER }),
      few('no-sample', { prometheus: url, errors: 'sum(rate(no_such_series[5s]))' }).replace(/ {6}latency.*/u, ''),
      few('not-a-number', { prometheus: url, errors: 'vector(0) / vector(0)' }).replace(/ {6}latency.*/u, ''),
      few('few-requests', { prometheus: url, least: 1_000_000 }),
      few('broken-server', { prometheus: helperUrl }),
    ].join('')}`;
  }

  const api = (image: string) => manifestsIn('k8s', serviceOf('api'), workload('Deployment', 'api', image));

  test('rolls back what fails or is slower, and keeps what stays below the limits', async ({ release }) => {
    await releasedAs(release, 'v1.0.0', { '.longhaul/environments.yaml': environments(), ...api('api:1') });
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    const before = await dumpOf(cluster);

    await releasedAs(release, 'v1.1.0', api('api:2-errors10'));
    const failing = await release.longhaul('deploy', 'v1.1.0', '--env', 'staging');
    expect(failing.stderr).toMatch(/v1\.1\.0 did not stay in staging: [\d.]+ % of requests fail, 5 % may\./u);
    expect(failing.exitCode).toBe(11);
    expect(await dumpOf(cluster)).toEqual(before);

    await releasedAs(release, 'v1.2.0', api('api:2-errors2'));
    expect(await release.longhaul('deploy', 'v1.2.0', '--env', 'staging')).toMatchObject({ exitCode: 0 });
    const [stayed] = (await deploymentsIn(release, 'staging')).toReversed();
    const samples = await release.ledger.sql<{ why: string }>(
      "SELECT why FROM deployment_samples WHERE deployment_id = $1 AND verdict = 'good' AND sample->>'what' = 'errors'",
      [stayed?.id],
    );
    expect(samples.map(({ why }) => why).join('\n')).toMatch(/^[1-4](\.\d+)? % of requests fail, 5 % may$/mu);

    const kept = await dumpOf(cluster);
    await releasedAs(release, 'v1.3.0', api('api:3-latency500'));
    const slow = await release.longhaul('deploy', 'v1.3.0', '--env', 'staging');
    expect(slow.stderr).toMatch(/requests take 0\.\d+ s, 0\.\d+ s before, 2 times that is allowed/u);
    expect(slow.exitCode).toBe(11);
    expect(await dumpOf(cluster)).toEqual(kept);
    for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0'])
      release.replayed(`deployment/local/acme/api/staging/${version}`);
  });

  test('rolls back after three failed checks in a row, and not after two and a good one', async ({ release }) => {
    answers.push(500, 500, 200, 503, 503);
    expect(await release.longhaul('deploy', 'v1.0.0', '--env', 'probed')).toMatchObject({ exitCode: 0 });
    expect(answers).toEqual([]);
    const before = await dumpOf(cluster);
    answers.push(500, 500, 503);
    asked = 0;
    const undone = await release.longhaul('deploy', 'v1.2.0', '--env', 'probed');
    expect(undone).toMatchObject({
      exitCode: 11,
      stderr: expect.stringContaining('api: front page: it answered 503, 3 times in a row') as string,
    });
    // the third one ended it, and one more was asked when everything was put back
    expect(asked).toBe(4);
    expect(await dumpOf(cluster)).toEqual(before);
  });

  test('asks a person when the metrics say nothing, whyever', async ({ release }) => {
    const running = WITHOUT_DATA.map((name) => release.longhaul('deploy', 'v1.0.0', '--env', name));
    const gates = await vi.waitFor(
      async () => {
        const open = await release.ledger.sql<{ id: string; kind: string; subject: string }>(
          "SELECT gate_id AS id, kind, subject FROM gates WHERE status = 'open'",
        );
        if (open.length < WITHOUT_DATA.length) throw new Error(`${open.length} gates are open`);
        return open;
      },
      { timeout: 120_000, interval: 500 },
    );
    expect(new Set(gates.map(({ kind }) => kind))).toEqual(new Set(['no data']));
    for (const { id, subject } of gates) {
      const verdict = subject.endsWith('no-sample') ? 'reject' : 'approve';
      await release.longhaul(verdict, id, '--why', 'looked at it');
    }
    const ended = await Promise.all(running);
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 11, 0, 0, 0]);
    const [, rejected] = ended;
    expect(rejected?.stderr).toMatch(
      /the metric errors said nothing during the whole watch: .*, and a person rejected it/u,
    );
    for (const name of WITHOUT_DATA) {
      const found = await cluster.kubectl(['get', 'deployments', '-n', name, '-o', 'name']);
      expect([name, found.trim()]).toEqual([name, name === 'no-sample' ? '' : 'deployment.apps/api']);
    }
    const said = await release.ledger.sql<{ environment: string; why: string }>(
      // before the first scrape of its pods, each says that there is no sample
      `SELECT environment, string_agg(DISTINCT deployment_samples.why, '; ') AS why FROM deployment_samples JOIN deployments USING (deployment_id)
       WHERE verdict = 'no data' AND sample->>'what' = 'errors' AND environment <> 'staging' GROUP BY environment`,
    );
    const reasons = Object.fromEntries(said.map(({ environment: name, why }) => [name, why]));
    expect(reasons).toMatchObject({
      'no-server': expect.stringContaining('Prometheus did not answer') as string,
      'no-sample': expect.stringMatching(/no sample|too few/u) as string,
      'few-requests': expect.stringContaining('requests are too few: 1000000 are needed') as string,
      'broken-server': expect.stringContaining('Prometheus answered with 500') as string,
    });
    expect(reasons['not-a-number']).toMatch(/NaN|too few|no sample/u);
  });

  test('goes back from a release that fails by the metrics, which are still about that one; what mends it asks a person', async ({
    release,
  }) => {
    const WINDOW = '30s';
    const image = () =>
      cluster.kubectl(['get', 'deployment/api', '-n', 'burning', '-o', 'jsonpath={..containers[0].image}']);
    const measured = metrics('burning', { prometheus: prometheus.url }).replaceAll('[5s]', `[${WINDOW}]`);
    const burning = (more: string): string => `environments:${environment('burning', `    watch: 2s\n${more}`)}`;
    const burns = async (): Promise<void> => {
      const of = 'namespace="burning",service="api"';
      const share = `sum(rate(http_requests_total{${of},code=~"5.."}[${WINDOW}])) / sum(rate(http_requests_total{${of}}[${WINDOW}]))`;
      await expect.poll(() => prometheus.value(share), { timeout: 60_000, interval: 500 }).toBeGreaterThan(0.2);
    };
    await cluster.kubectl(['create', 'namespace', 'burning']);
    await releasedAs(release, 'v2.0.0', {
      '.longhaul/environments.yaml': burning(measured.replace(/ {6}latency.*/u, '')),
      ...api('api:1'),
    });
    expect(await release.longhaul('deploy', 'v2.0.0', '--env', 'burning')).toMatchObject({ exitCode: 0 });
    await releasedAs(release, 'v2.1.0', { '.longhaul/environments.yaml': burning(''), ...api('api:2-errors50') });
    expect(await release.longhaul('deploy', 'v2.1.0', '--env', 'burning')).toMatchObject({ exitCode: 0 });

    await burns();
    const back = await release.longhaul('rollback', '--env', 'burning');
    expect(back.exitCode, back.stderr).toBe(0);
    expect(await image()).toBe('api:1');

    expect(await release.longhaul('deploy', 'v2.1.0', '--env', 'burning')).toMatchObject({ exitCode: 0 });
    const late = await release.longhaul('deploy', 'v2.0.0', '--env', 'burning');
    expect(late.stderr).toContain('burning has v2.1.0, which is later than v2.0.0: `longhaul rollback --env burning');
    expect(late.exitCode).toBe(9);

    await burns();
    await releasedAs(release, 'v2.2.0', {
      '.longhaul/environments.yaml': burning(measured.replace(/ {6}latency.*/u, '')),
      ...api('api:3'),
    });
    const mending = release.longhaul('deploy', 'v2.2.0', '--env', 'burning');
    const { id } = await openGate(release);
    const [gate] = await release.ledger.sql<{ evidence: string }>(
      'SELECT evidence::text FROM gates WHERE gate_id = $1',
      [id],
    );
    expect(gate?.evidence).toContain('before the first change the metrics were bad already');
    await release.longhaul('approve', id, '--why', 'looked at it');
    expect(await mending).toMatchObject({ exitCode: 0 });
    expect(await image()).toBe('api:3');
  });
});
