import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { describe, expect } from 'vitest';
import { createKey, type NewKey } from '../../../client/gateway/api-key.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { deliver, startGateway, type TestGateway } from '../../support/gateway.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import {
  configured,
  LANES,
  push,
  key,
  reader,
  slow,
  test,
  indexed,
  followed,
  outcomes,
} from '../../support/catalog/webhooks.ts';

describe('flows for services', () => {
  type Answer = { status: number; body: Record<string, unknown>; headers: Headers };
  const ask = async (
    gateway: TestGateway,
    method: string,
    path: string,
    { as = key, body, headers = {} }: { as?: NewKey | null; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const answer = await fetch(`${gateway.url}${path}`, {
      method,
      headers: {
        ...(as === null ? {} : { authorization: `Bearer ${as.key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
  };
  const until = async (
    gateway: TestGateway,
    id: string,
    wanted: (body: Record<string, unknown>) => boolean,
  ): Promise<Answer> => {
    for (;;) {
      const answer = await ask(gateway, 'GET', `/v1/runs/${encodeURIComponent(id)}`);
      if (answer.status === 429) await sleep(1_000);
      else if (wanted(answer.body)) return answer;
      await sleep(300);
    }
  };

  test('a service starts a flow, answers its question, and reads its result', async ({ flows, gateway }) => {
    const { estate } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    const body = { patterns: ['acme/*'], confirm: true };
    const headers = { 'idempotency-key': 'one-onboarding' };
    const started = await ask(gateway, 'POST', '/v1/flows/onboardRepositories', { body, headers });
    expect(started).toMatchObject({
      status: 202,
      body: { workflowId: expect.stringMatching(/^onboardRepositories\//) as string },
    });
    const id = started.body['workflowId'] as string;
    const run = `/v1/runs/${encodeURIComponent(id)}`;
    const asking = await until(
      gateway,
      id,
      ({ progress }) =>
        (progress as FlowProgress | null)?.asks?.question === 'Matched 1 repository. Proceed with initial indexing?',
    );
    expect(asking.body).toMatchObject({ status: 'RUNNING', type: 'onboardRepositories', closedAt: null });
    expect(await ask(gateway, 'GET', run, { as: reader })).toMatchObject({ status: 404 });
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, { as: reader, body: { proceed: true } })).toMatchObject(
      { status: 404 },
    );
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, { body: { proceed: 'yes' } })).toMatchObject({
      status: 422,
    });
    expect(await ask(gateway, 'POST', `${run}/updates/other`, { body: {} })).toMatchObject({ status: 403 });
    const answer = { body: { proceed: true }, headers: { 'idempotency-key': 'one-answer' } };
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, answer)).toMatchObject({
      status: 200,
      body: { workflowId: id },
    });
    // the same request again gets the same answer; another one comes too late
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, answer)).toMatchObject({ status: 200 });
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, { body: { proceed: false } })).toMatchObject({
      status: 409,
      body: { error: { type: 'Conflict' } },
    });
    const ended = await until(gateway, id, ({ status }) => status === 'COMPLETED');
    expect(ended.body).toMatchObject({ result: { succeeded: 1, failed: 0 }, progress: { stage: 'done' } });

    // sent again after it has ended: the same run; another input with the same key is an error
    const again = await ask(gateway, 'POST', '/v1/flows/onboardRepositories', { body, headers });
    expect(again.body).toEqual(started.body);
    const other = await ask(gateway, 'POST', '/v1/flows/onboardRepositories', { body: { patterns: ['b/*'] }, headers });
    expect(other).toMatchObject({ status: 422, body: { error: { type: 'InvalidInput' } } });
  });

  test('a flow that continued as new is not reported as ended when its first run is requested', async ({
    flows,
    gateway,
  }) => {
    const { connection, options } = flows.client;
    const { namespace } = options;
    // stubbed, and not replayed: no real flow has enough events for this so soon
    const client = new Client({ connection, namespace });
    const taskQueue = `by-hand-${randomUUID()}`;
    const { workflowId, firstExecutionRunId } = await client.workflow.start('syncRepositories', {
      taskQueue,
      workflowId: taskQueue,
      args: [{ all: true }],
    });
    const { taskToken } = await client.withDeadline(Date.now() + 60_000, () =>
      client.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } }),
    );
    const continueAsNewWorkflowExecutionCommandAttributes = {
      workflowType: { name: 'syncRepositories' },
      taskQueue: { name: taskQueue },
    };
    await client.workflowService.respondWorkflowTaskCompleted({
      namespace,
      taskToken,
      commands: [
        {
          commandType: proto.temporal.api.enums.v1.CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
          continueAsNewWorkflowExecutionCommandAttributes,
        },
      ],
    });
    const asked = await ask(gateway, 'GET', `/v1/runs/${workflowId}?runId=${firstExecutionRunId}`);
    expect(asked).toMatchObject({ status: 200, body: { status: 'RUNNING', closedAt: null } });
    expect(asked.body).not.toHaveProperty('failure');
    expect(asked.body['runId']).not.toBe(firstExecutionRunId);
    expect(await ask(gateway, 'GET', `/v1/runs/${workflowId}?runId=a&runId=b`)).toMatchObject({ status: 400 });
    await client.workflow.getHandle(workflowId).terminate();
    expect(await ask(gateway, 'GET', `/v1/runs/${workflowId}?runId=${firstExecutionRunId}`)).toMatchObject({
      status: 200,
      body: { status: 'TERMINATED', failure: { type: 'Cancelled' } },
    });
  });

  test('a paused run has not ended: it is joined by the same question and refuses another', async ({
    flows,
    gateway,
  }) => {
    const { connection, options, workflowService } = flows.client;
    const { namespace } = options;
    const repository = 'local/acme/paused';
    // without a worker, and not replayed
    const client = new Client({ connection, namespace });
    const handle = await client.workflow.start('syncRepository', {
      taskQueue: `by-hand-${randomUUID()}`,
      workflowId: `sync/${repository}`,
      args: [{ repository }],
    });
    const { workflowId, firstExecutionRunId: runId } = handle;
    await workflowService.pauseWorkflowExecution({ namespace, workflowId, runId, reason: 'maintenance' });
    const run = await ask(gateway, 'GET', `/v1/runs/${encodeURIComponent(workflowId)}`);
    expect(run).toMatchObject({ status: 200, body: { runId, status: 'PAUSED', closedAt: null } });
    for (const field of ['result', 'failure']) expect(run.body).not.toHaveProperty(field);
    const start = (body: object): Promise<Answer> => ask(gateway, 'POST', '/v1/flows/syncRepository', { body });
    expect(await start({ repository })).toMatchObject({ status: 202, body: { workflowId, runId } });
    expect(await start({ repository, branches: ['develop'] })).toMatchObject({
      status: 409,
      body: { error: { type: 'RepositoryBusy' } },
    });
    await handle.terminate();
  });

  test('a key allows only its own flows, signals and updates, up to its rate limit', async ({ gateway, flows }) => {
    const start = (type: string, options: object = {}): Promise<Answer> =>
      ask(gateway, 'POST', `/v1/flows/${type}`, { body: { all: true }, ...options });
    const forged = { ...createKey(), key: `${key.key.slice(0, -1)}${key.key.endsWith('A') ? 'B' : 'A'}` };
    expect(await start('syncRepositories', { as: null })).toMatchObject({ status: 401 });
    expect(await start('syncRepositories', { as: createKey() })).toMatchObject({ status: 401 });
    expect(await start('syncRepositories', { as: forged })).toMatchObject({ status: 401 });
    expect(await start('syncRepositories', { as: reader })).toMatchObject({
      status: 403,
      body: { error: { type: 'Forbidden' } },
    });
    expect(await start('constructor')).toMatchObject({ status: 404 });
    expect(await start('ingestStream')).toMatchObject({ status: 404 });
    expect(await start('syncRepositories', { body: { all: 'yes' } })).toMatchObject({
      status: 422,
      body: { error: { type: 'InvalidInput', message: expect.stringContaining('all') as string } },
    });
    expect(await start('syncRepositories', { body: '{"all"' })).toMatchObject({ status: 400 });
    expect(await start('syncRepositories', { body: '[]' })).toMatchObject({ status: 400 });
    expect(await start('syncRepositories', { headers: { 'content-type': 'text/plain' } })).toMatchObject({
      status: 415,
    });
    expect(await start('syncRepositories', { body: { patterns: ['a'.repeat(310_000)] } })).toMatchObject({
      status: 413,
    });
    expect(flows.started).toEqual([]);
    for (const id of ['none', '%00', '..%2f..', 'a'.repeat(1_500)]) {
      expect(await ask(gateway, 'GET', `/v1/runs/${id}`), id).toMatchObject({
        status: 404,
        body: { error: { type: 'NotFound' } },
      });
    }
    const { status, body } = await ask(gateway, 'GET', '/<script>alert(1)</script>');
    expect({ status, text: JSON.stringify(body) }).toEqual({
      status: 404,
      text: expect.not.stringContaining('script') as string,
    });
    for (let n = 0; n < 3; n++)
      expect(await start('verifyCatalog', { as: slow, body: {} })).toMatchObject({ status: 422 });
    const limited = await start('verifyCatalog', { as: slow, body: {} });
    expect(limited).toMatchObject({ status: 429, body: { error: { type: 'TooManyRequests' } } });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const { key: secret } of [key, reader, slow]) expect(gateway.log()).not.toContain(secret.slice(-43));
    await start('syncRepositories');
    await until(gateway, 'sync-all', (run) => run['status'] === 'COMPLETED');
  });

  test('a service reports a push, and signals a run', async ({ flows, gateway }) => {
    const { estate, client } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const last = await estate.commit('acme/api', { 'b.ts': 'export const b = 1;\n' });
    const input = { repository: 'local/acme/api', quietSeconds: 2 };
    const started = await ask(gateway, 'POST', '/v1/flows/followRepository', { body: input });
    expect(started).toMatchObject({ status: 202, body: { workflowId: 'follow/local/acme/api' } });
    const run = `/v1/runs/${encodeURIComponent('follow/local/acme/api')}`;
    const signal = (name: string, body: object): Promise<Answer> =>
      ask(gateway, 'POST', `${run}/signals/${name}`, { body });
    expect(await signal('repositoryEvents', { events: [{ kind: 'pushed' }] })).toMatchObject({ status: 202 });
    expect(await signal('repositoryEvents', { events: [{ kind: 'nonsense' }] })).toMatchObject({ status: 422 });
    expect(await signal('other', {})).toMatchObject({ status: 403 });
    expect(await followed(flows, 'local/acme/api')).toMatchObject({ events: 2, rounds: 1 });
    expect(await indexed(flows, 'local/acme/api')).toBe(last);
    expect(await signal('repositoryEvents', { events: [{ kind: 'pushed' }] })).toMatchObject({ status: 409 });
  });

  test('health, readiness and the OpenAPI document', async ({ flows, gateway }) => {
    expect(await ask(gateway, 'GET', '/healthz', { as: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await ask(gateway, 'GET', '/readyz', { as: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
    const { body } = await ask(gateway, 'GET', '/openapi.json', { as: null });
    expect((await new Validator().validate(body)).valid).toBe(true);

    const connection = Connection.lazy({ address: '127.0.0.1:1' });
    const away = await startGateway(flows.estate, new Client({ connection }), {
      webhooks: [{ provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' }],
      keys: [{ ...configured(key, 'ci'), flows: ['syncRepositories'] }],
    });
    try {
      expect(await ask(away, 'GET', '/healthz', { as: null })).toMatchObject({ status: 200 });
      expect(await ask(away, 'GET', '/readyz', { as: null })).toMatchObject({ status: 503 });
      const refused = { status: 503, body: { error: { type: 'ServerUnavailable' } } };
      expect(await ask(away, 'POST', '/v1/flows/syncRepositories', { body: { all: true } })).toMatchObject(refused);
      expect(await deliver(away.url, 'push', push('acme/api'))).toMatchObject(refused);
      expect(await outcomes(away)).toEqual({ failed: 1 });
    } finally {
      await away.close();
      await connection.close();
    }
    await startFlow(flows.client, 'syncRepositories', { all: true });
  });
});
