import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { type Alertmanager, startAlertmanager } from '../../support/kubernetes/alertmanager.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { serviceOf, workload } from '../../support/kubernetes/manifests.ts';
import { CLUSTER_BUILD_MS } from '../../support/kubernetes/programs.ts';
import { type Prometheus, startPrometheus } from '../../support/kubernetes/prometheus.ts';
import {
  clusterFolder,
  clusterIn,
  deploymentsIn,
  manifestsIn,
  openGate,
  releasedAs,
} from '../../support/release/deployments.ts';
import { type Release, releaseTest } from '../../support/release/releases.ts';

const place = clusterFolder();
const secretFile = join(place.folder, 'alertmanager.secret');
const test = releaseTest({
  deploy: { kubeconfig: place.kubeconfig, contexts: { test: { repositories: ['local/acme/*'] } } },
  gateway: { alertmanager: { secretFile } },
});

/** Environments that are watched for a second, and not by metrics: alerts come later. */
const ENVIRONMENTS = `environments:
  - name: rolls
    context: test
    namespace: rolls
    watch: 1s
    alerts: rollback
    services: {api: {manifests: {folder: k8s}, ready: 60s}}
  - name: asks
    context: test
    namespace: asks
    watch: 1s
    services: {api: {manifests: {folder: k8s}, ready: 60s}}
`;

/** Fires where more than a twentieth of the requests of a namespace fail. */
const RULE = {
  alert: 'HighErrorRate',
  expr: 'sum by (namespace) (rate(http_requests_total{code=~"5.."}[5s])) / sum by (namespace) (rate(http_requests_total[5s])) > 0.05',
  labels: { longhaul_repository: 'local/acme/api', longhaul_environment: '{{ $labels.namespace }}' },
  annotations: { summary: '{{ $value | humanizePercentage }} of requests <b>fail</b>' },
};

describe('alerts after the watch', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let prometheus: Prometheus | undefined;
  let alertmanager: Alertmanager | undefined;
  let gateway: FastifyInstance | undefined;

  beforeAll(async () => {
    writeFileSync(secretFile, 'a secret of 16 characters and more\n'.replaceAll(' ', '-'), { mode: 0o600 });
    cluster = await clusterIn(place.folder);
    for (const name of ['rolls', 'asks']) await cluster.kubectl(['create', 'namespace', name]);
  }, CLUSTER_BUILD_MS);

  afterAll(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await gateway?.close();
    await cluster?.stop();
    place.remove();
  });

  /** A gateway, an Alertmanager that sends it alerts, and a Prometheus that measures the cluster. */
  async function measure({ env, client }: Release): Promise<void> {
    const { config } = loadConfig({ path: env['LONGHAUL_CONFIG'] ?? '', env });
    const logger = pino({ level: 'silent' });
    gateway = await createGateway({ config, env, client, logger, metrics: createGatewayMetrics() });
    const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
    alertmanager = await startAlertmanager(join(place.folder, 'alertmanager'), {
      url: `${url}/webhooks/alertmanager`,
      secretFile,
    });
    const alerting = { alertmanager: alertmanager.address, rules: [RULE] };
    prometheus = await startPrometheus(join(place.folder, 'prometheus'), cluster.service ?? '', alerting);
  }

  const image = (namespace: string): Promise<string> =>
    cluster.kubectl([
      'get',
      'deployment/api',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    ]);

  test('go back to the release before where the environment says so, and ask a person where it does not', async ({
    release,
  }) => {
    const api = (tag: string) => manifestsIn('k8s', serviceOf('api'), workload('Deployment', 'api', tag));
    await releasedAs(release, 'v1.0.0', { '.longhaul/environments.yaml': ENVIRONMENTS, ...api('api:1') });
    await releasedAs(release, 'v1.1.0', api('api:2-errors30'));
    for (const environment of ['rolls', 'asks']) {
      for (const version of ['v1.0.0', 'v1.1.0']) {
        const ended = await release.longhaul('deploy', version, '--env', environment);
        expect([environment, version, ended.exitCode, ended.stderr]).toEqual([
          environment,
          version,
          0,
          expect.any(String),
        ]);
      }
    }
    await measure(release);

    const gate = await openGate(release);
    expect(gate.kind).toBe('alert');
    const [asked] = await release.ledger.sql<{ subject: string; requested_by: string; evidence: readonly string[] }>(
      'SELECT subject, requested_by, evidence FROM gates WHERE gate_id = $1',
      [gate.id],
    );
    expect(asked).toEqual({
      subject: 'asks of local/acme/api, back from v1.1.0 to v1.0.0',
      requested_by: 'alertmanager',
      evidence: [
        expect.stringMatching(/^HighErrorRate since [-\d]+T[:\d]+Z: [\d.]+% of requests b fail \/b$/u),
        expect.stringContaining('longhaul deployments show'),
      ],
    });
    await expect
      .poll(() => deploymentsIn(release, 'rolls'), { timeout: 120_000, interval: 500 })
      .toMatchObject([
        { version: 'v1.0.0', status: 'deployed' },
        { version: 'v1.1.0', status: 'deployed' },
        { version: 'v1.0.0', status: 'deployed' },
      ]);
    expect(await image('rolls')).toBe('api:1');
    expect(await image('asks')).toBe('api:2-errors30');

    expect(await release.longhaul('approve', gate.id, '--why', 'customers complain')).toMatchObject({ exitCode: 0 });
    const answering = release.client.workflow.getHandle('alert/local/acme/api/asks');
    await expect
      .poll(() => deploymentsIn(release, 'asks'), { timeout: 120_000, interval: 500 })
      .toMatchObject([{}, {}, { version: 'v1.0.0', status: 'deployed' }]);
    expect(await image('asks')).toBe('api:1');
    expect(await answering.result()).toMatchObject({ did: expect.stringMatching(/rolled back|nothing/u) as string });

    // the alerts go on for the window of their query, and are repeated each second
    await expect
      .poll(async () => prometheus?.value('count(ALERTS{alertstate="firing"})'), { timeout: 60_000, interval: 500 })
      .toBeNull();
    for (const environment of ['rolls', 'asks']) expect(await deploymentsIn(release, environment)).toHaveLength(3);
    const events = await release.ledger.sql<{ event_type: string; place: string; actor: string; cause: string | null }>(
      `SELECT event_type, actor, details_json->>'cause' AS cause,
         CASE event_type WHEN 'alert.taken' THEN details_json->>'environment' ELSE resource_id END AS place
       FROM audit_events WHERE event_type = 'alert.taken'
         OR (event_type = 'deployment.started' AND actor = 'alertmanager') ORDER BY event_type, place`,
    );
    const cause = expect.stringMatching(/^HighErrorRate since .* of requests b fail/u) as string;
    const actor = 'alertmanager';
    expect(events).toEqual([
      { event_type: 'alert.taken', place: 'asks', actor, cause: null },
      { event_type: 'alert.taken', place: 'rolls', actor, cause: null },
      { event_type: 'deployment.started', place: 'asks', actor, cause },
      { event_type: 'deployment.started', place: 'rolls', actor, cause },
    ]);
    release.replayed('deployment/local/acme/api/asks/v1.0.0');
    release.replayed('alert/local/acme/api/asks');
  });
});
