import { createHmac, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { describe, expect, inject, vi } from 'vitest';
import { openLedger, type LedgerDatabase } from '../../../activities/ledger/open-ledger.ts';
import { recordRequest } from '../../../activities/ledger/requests.ts';
import { storeContracts } from '../../../activities/release/contracts/stored-contracts.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { createKey } from '../../../client/gateway/api-key.ts';
import { createGatewayMetrics, type GatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import { flowsWorker } from '../../../workers/roles.ts';
import { workflowSources } from '../../../workers/workflow-sources.ts';
import { type Release, releaseTest, REPOSITORY } from '../../support/release/releases.ts';

const SECRET = "It's a Secret to Everybody".replaceAll(' ', '-');
const ADA = createKey();

interface Desk extends Release {
  /** The ledger, with the login of the gateway. */
  readonly requests: LedgerDatabase;
  readonly url: string;
  readonly metrics: GatewayMetrics;
  readonly log: () => string;
  /** Sends a body with these headers. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<{ status: number; body: unknown }>;
  /** Sends alerts as Alertmanager does. */
  send(...alerts: readonly object[]): Promise<{ status: number; body: unknown }>;
}

const test = releaseTest(
  {
    people: [{ name: 'ada', emails: ['ada@example.com'], key: { id: ADA.id, hash: ADA.hash } }],
    gateway: { alertmanager: { secretEnv: 'ALERTS', environmentLabel: 'stage' } },
  },
  ['ledger', 'repos'],
).extend('desk', { scope: 'file' }, async ({ release }, { onCleanup }): Promise<Desk> => {
  const { env, client, ledger } = release;
  const { config } = loadConfig({ path: env['LONGHAUL_CONFIG'] ?? '', env });
  const decisions: LedgerDatabase = openLedger(ledger.logins.gates);
  const metrics = createGatewayMetrics();
  let log = '';
  const server: FastifyInstance = await createGateway({
    config,
    env: { ...env, ALERTS: SECRET },
    client,
    metrics,
    logger: pino({}, { write: (line: string) => void (log += line) }),
    desk: { ledger: decisions, client, directory: directoryOf(config), url: ledger.logins.gates },
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  onCleanup(async () => {
    await server.close();
    await decisions.destroy();
  });
  const post: Desk['post'] = async (body, headers = {}) => {
    const answer = await fetch(`${url}/webhooks/alertmanager`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: answer.status, body: await answer.json() };
  };
  const send: Desk['send'] = (...alerts) => post(message(...alerts), { authorization: `Bearer ${SECRET}` });
  return { ...release, requests: decisions, url, metrics, log: () => log, post, send };
});

/** A message of Alertmanager about the environment `staging`. */
function message(...alerts: readonly object[]): string {
  const labels = { alertname: 'HighErrorRate', longhaul_repository: REPOSITORY, stage: 'staging' };
  return JSON.stringify({
    version: '4',
    status: 'firing',
    alerts: alerts.map((alert) => ({
      status: 'firing',
      labels,
      annotations: { summary: 'requests\nfail <script>alert(1)</script>' },
      startsAt: '2026-11-30T11:00:00.5Z',
      endsAt: '0001-01-01T00:00:00Z',
      fingerprint: '5ef77f1f8a3ecb8d',
      ...alert,
    })),
  });
}

/** Says in the ledger that a release was deployed to an environment, as its deployment would. */
async function deployed(
  { ledger, blobs }: Pick<Release, 'ledger' | 'blobs'>,
  environment: string,
  version: string,
  { startedAt = '2026-11-30T10:00:00Z', status = 'deployed', goesBack = false, rule = 'ask' } = {},
): Promise<void> {
  const text = `environments: [{name: ${environment}, context: test, namespace: shop, alerts: ${rule}, services: {api: {manifests: {folder: k8s}}}}]`;
  const contracts = await storeContracts(blobs, { name: '.longhaul', files: [{ path: 'environments.yaml', text }] });
  await ledger.sql(
    `INSERT INTO deployments (deployment_id, repository, environment, version, commit, packed, contracts, services, goes_back,
       context, namespace, status, workflow_id, created_by, started_at)
     VALUES ($1, $2, $3, $4, $5, '{}', $6, '["api"]', $7, 'test', 'shop', $8, 'deploy/test', 'ada', $9)`,
    [randomUUID(), REPOSITORY, environment, version, 'a'.repeat(40), contracts, goesBack, status, startedAt],
  );
}

function openGateOf({ ledger }: Pick<Release, 'ledger'>) {
  return vi.waitFor(
    async () => {
      const [gate] = await ledger.sql<{ gate_id: string; requested_by: string; evidence: readonly string[] }>(
        "SELECT gate_id, requested_by, evidence FROM gates WHERE status = 'open'",
      );
      if (gate === undefined) throw new Error('no gate is open');
      return gate;
    },
    { timeout: 60_000, interval: 100 },
  );
}

async function decide({ url }: Desk, gate: string, verdict: 'approve' | 'reject'): Promise<void> {
  const headers = { authorization: `Bearer ${ADA.key}`, 'content-type': 'application/json' };
  const seen = (await (await fetch(`${url}/v1/gates/${gate}`, { headers })).json()) as { digest: string };
  const body = JSON.stringify({ verdict, why: 'looked at it', digest: seen.digest });
  const answer = await fetch(`${url}/v1/gates/${gate}/decisions`, { method: 'POST', headers, body });
  expect([answer.status, await answer.text()]).toEqual([201, expect.any(String)]);
}

const FLOW = `alert/${REPOSITORY}/staging`;
const resultOf = ({ client }: Pick<Release, 'client'>, id = FLOW): Promise<unknown> =>
  client.workflow.getHandle(id).result();

describe('the webhook of Alertmanager', () => {
  test('takes a bearer token, a password and a signature, and nothing else', async ({ desk }) => {
    const body = message();
    const digest = createHmac('sha256', SECRET).update(body).digest('hex');
    const password = (given: string): string => `Basic ${Buffer.from(`longhaul:${given}`).toString('base64')}`;
    const statusOf = async (headers: Record<string, string>, sent = body): Promise<number> =>
      (await desk.post(sent, headers)).status;
    expect(await statusOf({ authorization: `Bearer ${SECRET}` })).toBe(200);
    expect(await statusOf({ authorization: password(SECRET) })).toBe(200);
    expect(await statusOf({ 'x-longhaul-signature-256': `sha256=${digest}` })).toBe(200);
    const forged: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${SECRET}x` },
      { authorization: 'Bearer ' },
      { authorization: password('') },
      { authorization: `Digest ${SECRET}` },
      { 'x-longhaul-signature-256': `sha256=${'0'.repeat(64)}` },
      { 'x-longhaul-signature-256': SECRET },
      // a wrong signature is not made good by a token
      { 'x-longhaul-signature-256': `sha256=${'0'.repeat(64)}`, authorization: `Bearer ${SECRET}` },
    ];
    for (const headers of forged) expect([headers, await statusOf(headers)]).toEqual([headers, 401]);
    const signed = { 'x-longhaul-signature-256': `sha256=${digest}` };
    expect(await statusOf(signed, body.replace('"4"', '"4" '))).toBe(401);
    const bearer = { authorization: `Bearer ${SECRET}` };
    expect(await statusOf(bearer, '{"version"')).toBe(400);
    expect(await statusOf(bearer, '{"version":"3","alerts":[]}')).toBe(422);
    expect(await statusOf(bearer, `"${'a'.repeat(3_000_000)}"`)).toBe(413);
    expect(await statusOf({ ...bearer, 'content-type': 'text/plain' })).toBe(415);
    expect(desk.log()).not.toContain(SECRET);
    const refused = 'longhaul_gateway_deliveries_total{forge="alertmanager",result="refused"} 13';
    expect(await desk.metrics.text()).toContain(refused);
    for await (const { workflowId } of desk.client.workflow.list()) expect(workflowId).not.toMatch(/^alert\//u);
  });

  test('asks once for each alert; a rejection stays, whatever is sent again', async ({ desk }) => {
    expect(await desk.send({ status: 'resolved' })).toMatchObject({ status: 200, body: { started: [], busy: [] } });
    await deployed(desk, 'staging', 'v1.0.0');
    await deployed(desk, 'staging', 'v1.1.0', { startedAt: '2026-11-30T11:00:00Z' });
    expect(await desk.send({})).toMatchObject({ status: 202, body: { started: [FLOW], busy: [] } });
    const gate = await openGateOf(desk);
    expect(gate).toMatchObject({
      requested_by: 'alertmanager',
      evidence: [
        'HighErrorRate since 2026-11-30T11:00Z: requests fail script alert(1) /script',
        expect.stringContaining('longhaul deployments show'),
      ],
    });
    // the same, and another one, while people decide
    const other = { fingerprint: '0000000000000001' };
    await expect
      .poll(() => desk.send({}, other), { timeout: 30_000 })
      .toMatchObject({ status: 200, body: { started: [], busy: [FLOW] } });
    await decide(desk, gate.gate_id, 'reject');
    expect(await resultOf(desk)).toEqual({ did: 'rejected', why: 'ada: looked at it' });

    expect(await desk.send({})).toMatchObject({ status: 202 });
    expect(await resultOf(desk)).toEqual({ did: 'nothing', why: 'These alerts were answered before.' });
    // one that fires again is another one
    expect(await desk.send({ startsAt: '2026-11-30T11:30:00Z' })).toMatchObject({ status: 202 });
    const second = await openGateOf(desk);
    expect(second.gate_id).not.toBe(gate.gate_id);
    await decide(desk, second.gate_id, 'approve');
    // it goes back as people would: this ledger has no such release
    await expect(resultOf(desk)).rejects.toMatchObject({
      cause: {
        cause: {
          cause: { type: 'InvalidInput', message: expect.stringContaining('has no release v1.0.0') as string },
        },
      },
    });
    const events = await desk.ledger.sql(
      `SELECT event_type, resource_id, actor, authenticated_by, details_json->>'alert' AS alert FROM audit_events
       WHERE event_type IN ('alert.taken', 'gate.opened', 'deployment.refused') ORDER BY event_id`,
    );
    const by = { actor: 'alertmanager', authenticated_by: 'api-key' };
    const said = (at: string): string => `HighErrorRate since ${at}Z: requests fail script alert(1) /script`;
    const taken = (startsAt: string, alert: string) => ({
      event_type: 'alert.taken',
      resource_id: `staging/5ef77f1f8a3ecb8d/${startsAt}`,
      alert,
      ...by,
    });
    expect(events).toEqual([
      taken('2026-11-30T11:00:00.500Z', said('2026-11-30T11:00')),
      { event_type: 'gate.opened', resource_id: gate.gate_id, alert: null, ...by },
      taken('2026-11-30T11:30:00.000Z', said('2026-11-30T11:30')),
      { event_type: 'gate.opened', resource_id: second.gate_id, alert: null, ...by },
      { event_type: 'deployment.refused', resource_id: 'staging v1.0.0', alert: null, ...by },
    ]);
    desk.replayed(FLOW);
  });

  test.for<[string, string, readonly Parameters<typeof deployed>[3][], string]>([
    ['that nothing was deployed to', 'empty', [], 'Nothing was deployed there.'],
    ['with one release', 'first', [{}], 'There is no release to go back to.'],
    [
      'that was deployed to since',
      'newer',
      [{}, { startedAt: '2026-11-30T12:00:00Z' }],
      'The alerts began before the last deployment.',
    ],
    ['that went back', 'back', [{}, {}, { goesBack: true }], 'People have gone back to an earlier release already.'],
    [
      'whose deployment was undone',
      'undone',
      [{}, { status: 'undone' }],
      'The last deployment has been rolled back already.',
    ],
    ['that ignores alerts', 'deaf', [{}, { rule: 'ignore' }], 'The environment ignores alerts.'],
  ])('does nothing about an environment %s', async ([, environment, deployments, why], { desk }) => {
    for (const [at, more] of deployments.entries()) {
      await deployed(desk, environment, more?.goesBack === true ? 'v1.0.0' : `v1.${at}.0`, more);
    }
    const labels = { alertname: 'Slow', longhaul_repository: REPOSITORY, stage: environment };
    const id = `alert/${REPOSITORY}/${environment}`;
    expect(await desk.send({ labels })).toMatchObject({ status: 202, body: { started: [id] } });
    expect(await resultOf(desk, id)).toEqual({ did: 'nothing', why });
    const rows = await desk.ledger.sql(
      "SELECT 1 FROM audit_events WHERE event_type = 'alert.taken' AND resource_id LIKE $1",
      [`${environment}/%`],
    );
    expect(rows).toEqual([]);
  });

  test('waits while a deployment is at work, and is about what comes of it', async ({ desk }) => {
    await deployed(desk, 'busy', 'v1.0.0');
    await deployed(desk, 'busy', 'v1.1.0', { status: 'deploying' });
    const labels = { alertname: 'Slow', longhaul_repository: REPOSITORY, stage: 'busy' };
    expect(await desk.send({ labels })).toMatchObject({ status: 202 });
    const id = `alert/${REPOSITORY}/busy`;
    const handle = desk.client.workflow.getHandle(id);
    await vi.waitFor(
      async () => {
        const { events } = await handle.fetchHistory();
        if (!events?.some(({ timerStartedEventAttributes: timer }) => timer)) throw new Error('it does not wait');
      },
      { timeout: 60_000, interval: 200 },
    );
    // they may lead to nothing, and this one to something
    expect(await desk.send({ labels, fingerprint: '0000000000000002' })).toMatchObject({
      status: 503,
      body: { error: { type: 'EnvironmentBusy' } },
    });
    await desk.ledger.sql("UPDATE deployments SET status = 'undone' WHERE environment = 'busy' AND version = 'v1.1.0'");
    expect(await resultOf(desk, id)).toEqual({
      did: 'nothing',
      why: 'The last deployment has been rolled back already.',
    });
    desk.replayed(id);
  });

  test('asks people when the rollback fails before it has changed anything', async ({ desk }) => {
    await deployed(desk, 'auto', 'v1.0.0');
    await deployed(desk, 'auto', 'v1.1.0', { rule: 'rollback' });
    const labels = { alertname: 'Slow', longhaul_repository: REPOSITORY, stage: 'auto' };
    const id = `alert/${REPOSITORY}/auto`;
    expect(await desk.send({ labels })).toMatchObject({ status: 202, body: { started: [id] } });
    const gate = await openGateOf(desk);
    // this ledger has no such release
    expect(gate.evidence[0]).toMatch(/^the rollback has failed: .*has no release v1\.0\.0/u);
    await decide(desk, gate.gate_id, 'reject');
    expect(await resultOf(desk, id)).toEqual({ did: 'rejected', why: 'ada: looked at it' });
    desk.replayed(id);
  });

  test('closes its question when another deployment has begun', async ({ desk }) => {
    await deployed(desk, 'moved', 'v1.0.0');
    await deployed(desk, 'moved', 'v1.1.0');
    const alert = { name: 'Slow', summary: '', fingerprint: '1', startsAt: '2026-11-30T11:00:00.000Z' };
    const input = { repository: REPOSITORY, environment: 'moved', alerts: [alert], by: 'alertmanager' };
    const id = randomUUID().replaceAll('-', '');
    const actor = { name: 'alertmanager', authenticatedBy: 'api-key' } as const;
    await recordRequest(desk.requests, { id, type: 'answerAlerts', input, actor, isPerson: false });
    const clock = fileURLToPath(new URL('../../support/gates/skipping-clock.ts', import.meta.url));
    const native = await NativeConnection.connect({ address: inject('stack').temporalAddress });
    const { namespace } = desk.client.options;
    const worker = await Worker.create({
      ...flowsWorker(
        { connection: native, namespace },
        await bundleWorkflowCode({ ...workflowSources([clock]), logger: new DefaultLogger('WARN') }),
      ),
      taskQueue: 'skipping',
      reuseV8Context: false,
      shutdownGraceTime: '1 second',
    });
    await worker.runUntil(async () => {
      const flow = await desk.client.workflow.start('answerAlerts', {
        taskQueue: 'skipping',
        workflowId: `alert/${REPOSITORY}/moved`,
        args: [{ ...input, requestId: id }],
      });
      const gate = await openGateOf(desk);
      await expect
        .poll(() => flow.query<readonly string[]>('waits'), { timeout: 30_000 })
        .toContainEqual(expect.stringContaining('until the next look'));
      await deployed(desk, 'moved', 'v1.2.0', { startedAt: '2026-11-30T12:00:00Z', status: 'deploying' });
      await flow.signal('skipTime', 600_000);
      const why = 'Another deployment has begun since the question.';
      expect(await flow.result()).toEqual({ did: 'nothing', why });
      const closed = await desk.ledger.sql('SELECT status FROM gates WHERE gate_id = $1', [gate.gate_id]);
      expect(closed).toEqual([{ status: 'cancelled' }]);
    });
    await native.close();
  });

  test('alone lets a program ask: an alert that was sent to Temporal itself asks no one', async ({ desk }) => {
    await deployed(desk, 'raw', 'v1.0.0');
    await deployed(desk, 'raw', 'v1.1.0');
    const alert = { name: 'Slow', summary: '', fingerprint: '1', startsAt: '2026-11-30T11:00:00.000Z' };
    const input = { repository: REPOSITORY, environment: 'raw', alerts: [alert], by: 'alertmanager' };
    const started = await desk.client.workflow.start('answerAlerts', {
      taskQueue: 'longhaul-flows',
      workflowId: `alert/${REPOSITORY}/raw`,
      args: [input],
    });
    await expect(started.result()).rejects.toMatchObject({
      cause: { cause: { type: 'RequestUnproved', message: expect.stringContaining('person or service') as string } },
    });
    expect(await desk.ledger.sql("SELECT 1 FROM gates WHERE subject LIKE 'raw %'")).toEqual([]);
  });
});
