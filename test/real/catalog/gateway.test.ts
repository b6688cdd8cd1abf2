import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import proto from '@temporalio/proto';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { tellRepository } from '../../../activities/catalog/follow.ts';
import { createKey, type NewKey } from '../../../client/gateway/api-key.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { FollowResult } from '../../../domain/catalog/flows/follow.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { scrape, samplesIn } from '../../support/scrape.ts';
import { type FlowsFixture, sourceOf, test as base } from '../../support/flows.ts';
import {
  deliver,
  repositoryPayload,
  SECRET,
  signatureOf,
  startGateway,
  startGatewayProcess,
  type TestGateway,
} from '../../support/gateway.ts';
import { WEBHOOK_EXAMPLES } from '../../support/webhook-examples.ts';

const LANES = sourceOf('workflows/shared/lanes.ts');
const push = (name: string, branch = 'main'): object => repositoryPayload(name, { ref: `refs/heads/${branch}` });

const DELIVERIES = fileURLToPath(new URL('../../support/deliveries-process.ts', import.meta.url));

const key = createKey();
const reader = createKey();
const slow = createKey();

const test = base
  .extend('webhooks', async () => [{ provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' }] as object[])
  .extend('gateway', async ({ flows, webhooks }, { onCleanup }): Promise<TestGateway> => {
    const gateway = await startGateway(flows.estate, flows.client, {
      webhooks,
      onboard: ['acme/*'],
      quietSeconds: 0.3,
      keys: [
        {
          ...configured(key, 'ci'),
          flows: ['onboardRepositories', 'syncRepositories', 'syncRepository', 'followRepository'],
          signals: ['repositoryEvents'],
          updates: ['confirm'],
        },
        { ...configured(reader, 'reader'), flows: ['verifyCatalog'] },
        { ...configured(slow, 'slow'), flows: ['verifyCatalog'], requestsPerMinute: 3 },
      ],
    });
    onCleanup(() => gateway.close());
    return gateway;
  });

function configured({ id, hash }: NewKey, name: string): object {
  return { id, hash, name };
}

/** What the index holds of a repository: the commit; null when it is not there. */
async function indexed({ tools }: FlowsFixture, id: string): Promise<string | null> {
  return (await tools.store.readReceipt(id))?.commit ?? null;
}

/** What became of what was told of a repository so far, by webhooks too. */
async function followed({ client, started }: FlowsFixture, id: string): Promise<FollowResult> {
  if (started.some(([workflowId]) => workflowId === 'deliveries')) {
    await client.workflow.getHandle('deliveries').result();
  }
  const handle = client.workflow.getHandle(`follow/${id}`);
  started.push([handle.workflowId, (await handle.describe()).runId]);
  return (await handle.result()) as FollowResult;
}

/** What became of all that was told of a repository, run by run. */
async function runsOf({ client, started }: FlowsFixture, id: string): Promise<FollowResult[]> {
  const results: FollowResult[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query: `WorkflowId = 'follow/${id}'` })) {
    started.push([workflowId, runId]);
    results.push((await client.workflow.getHandle(workflowId, runId).result()) as FollowResult);
  }
  return results;
}

/** What became of GitHub's messages, as the metrics have it. */
async function outcomes({ metrics }: TestGateway): Promise<Record<string, number>> {
  const samples = [...samplesIn(await metrics.text())];
  return Object.fromEntries(
    samples.flatMap(([name, count]) => {
      const [, result = null] = /^longhaul_gateway_deliveries_total\{forge="github",result="(\w+)"\}$/.exec(name) ?? [];
      return result === null || count === 0 ? [] : [[result, count]];
    }),
  );
}

function sumOf(results: readonly FollowResult[], count: 'events' | 'rounds'): number {
  return results.reduce((sum, result) => sum + result[count], 0);
}

describe('webhooks', () => {
  test('a burst of sixty pushes becomes few syncs, and the last state is indexed', async ({ flows, gateway }) => {
    const { estate, client } = flows;
    await estate.create('acme/burst', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    let last = '';
    for (let n = 0; n < 60; n++) {
      last = await estate.commit('acme/burst', { 'b.ts': `export const n = ${n};\n` });
      const { status, body } = await deliver(gateway.url, 'push', push('acme/burst'));
      expect({ status, body }).toMatchObject({ status: 202, body: { followed: ['local/acme/burst'] } });
    }
    await followed(flows, 'local/acme/burst');
    const runs = await runsOf(flows, 'local/acme/burst');
    expect(sumOf(runs, 'events')).toBe(60);
    expect(sumOf(runs, 'rounds')).toBeLessThan(20);
    expect(await indexed(flows, 'local/acme/burst')).toBe(last);
  });

  test('pushes that come while it works, ends and begins again: none is lost', async ({ flows }) => {
    const { estate, client } = flows;
    await estate.create('acme/busy', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const runs = new Set<string>();
    let last = '';
    for (let n = 0; n < 60; n++) {
      if (n % 6 === 0) last = await estate.commit('acme/busy', { 'b.ts': `export const n = ${n};\n` });
      const event = { kind: 'pushed', delivery: `${n}` } as const;
      runs.add(
        (await tellRepository(client, { repository: 'local/acme/busy', quietSeconds: 0 }, [event])).signaledRunId,
      );
      // now and then exactly when it ends
      if (n % 12 === 11) await followed(flows, 'local/acme/busy');
      else await sleep((n * 37) % 150);
    }
    await followed(flows, 'local/acme/busy');
    expect(runs.size).toBeGreaterThanOrEqual(5);
    expect(sumOf(await runsOf(flows, 'local/acme/busy'), 'events')).toBe(60);
    expect(await indexed(flows, 'local/acme/busy')).toBe(last);
  });

  test('a sync that another run delays is not forgotten', async ({ flows, gateway }) => {
    const { estate, client } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const files = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, at) => [`src/${at}.ts`, `export const v${at} = ${at};\n`]),
    );
    await estate.commit('acme/api', files);
    const other = await startFlow(client, 'syncRepository', { repository: 'local/acme/api' });
    const last = await estate.commit('acme/api', { 'b.ts': 'export const b = 1;\n' });
    await deliver(gateway.url, 'push', push('acme/api'));
    await other.result();
    expect(await followed(flows, 'local/acme/api')).toMatchObject({ events: 1, stage: 'done' });
    expect(await indexed(flows, 'local/acme/api')).toBe(last);
  });

  test('the same delivery counts once; other branches, tags and unknown repositories lead to nothing', async ({
    flows,
    gateway,
  }) => {
    const { estate, client, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    await tellRepository(client, { repository: 'local/acme/api', quietSeconds: 10 }, [{ kind: 'pushed' }]);
    const headers = { 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' };
    for (let n = 0; n < 5; n++) await deliver(gateway.url, 'push', push('acme/api'), headers);
    expect(await followed(flows, 'local/acme/api')).toMatchObject({ events: 2, rounds: 1 });
    for (const ref of ['refs/heads/other', 'refs/tags/main', 'main']) {
      expect(await deliver(gateway.url, 'push', repositoryPayload('acme/api', { ref }))).toMatchObject({
        status: 200,
        body: { ignored: expect.any(String) as string },
      });
    }
    await deliver(gateway.url, 'push', push('elsewhere/tool'));
    expect(await outcomes(gateway)).toEqual({ taken: 2, duplicate: 4, ignored: 3 });
    await followed(flows, 'local/elsewhere/tool');
    expect((await tools.store.receipts()).map(({ repository }) => repository)).toEqual(['local/acme/api']);
  });

  test('every example of GitHub is handled or politely ignored', async ({ flows, gateway }) => {
    const ids = new Set<string>();
    const answers = new Map<number, number>();
    let sent = 0;
    for (const { name, examples: payloads } of WEBHOOK_EXAMPLES) {
      for (const payload of payloads) {
        const { status, body } = await deliver(gateway.url, name, payload);
        for (const id of (body['followed'] ?? []) as string[]) ids.add(id);
        answers.set(status, (answers.get(status) ?? 0) + 1);
        sent++;
      }
    }
    expect(sent).toBe(329);
    expect(new Set(answers.keys())).toEqual(new Set([200, 202]));
    expect(answers.get(202)).toBeGreaterThan(8);
    for (const id of ids)
      await followed(flows, id).catch((error: unknown) => expect(error).toBeInstanceOf(WorkflowFailedError));
  });
});

describe('messages that are refused', () => {
  const body = JSON.stringify(push('acme/api'));
  const signed = (bytes: string | Buffer): Record<string, string> => ({
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'a-delivery',
    'x-hub-signature-256': signatureOf(bytes),
  });
  const without = (name: string): Record<string, string> => {
    const { [name]: _left, ...rest } = signed(body);
    return rest;
  };
  const reencoded = JSON.stringify(JSON.parse(body), null, 1);
  const form = `payload=${encodeURIComponent(body)}`;

  test('forged, altered, unsigned, too large, no JSON, another type: nothing is started, no secret is logged', async ({
    flows,
    gateway,
  }) => {
    const post = async (headers: Record<string, string>, sent: string | Buffer): Promise<number> => {
      const answer = await fetch(`${gateway.url}/webhooks/github`, {
        method: 'POST',
        headers,
        body: new Uint8Array(Buffer.from(sent)),
      });
      expect(await answer.json()).toMatchObject({ error: { type: expect.any(String) as string } });
      return answer.status;
    };
    expect(await post(without('x-hub-signature-256'), body)).toBe(401);
    expect(await post({ ...signed(body), 'x-hub-signature-256': 'sha256=00' }, body)).toBe(401);
    expect(await post({ ...signed(body), 'x-hub-signature-256': signatureOf(body, 'other') }, body)).toBe(401);
    expect(await post(signed(body), body.replace('main', 'mein'))).toBe(401);
    expect(await post(signed(body), reencoded)).toBe(401);
    expect(await post(signed(''), '')).toBe(400);
    expect(await post(signed('{"a"'), '{"a"')).toBe(400);
    expect(await post(signed(Buffer.from([0x22, 0xff, 0x22])), Buffer.from([0x22, 0xff, 0x22]))).toBe(400);
    expect(await post(without('x-github-event'), body)).toBe(400);
    expect(await post({ ...signed(body), 'content-type': 'text/plain' }, body)).toBe(415);
    expect(await post({ ...signed(body), 'content-type': 'multipart/form-data; boundary=a' }, body)).toBe(415);
    const large = `"${'a'.repeat(26_214_400)}"`;
    expect(await post(signed(large), large)).toBe(413);
    const asked = await fetch(`${gateway.url}/webhooks/gitlab`, { method: 'POST', headers: { 'x-gitlab-token': 'a' } });
    expect(asked.status).toBe(404);
    expect(flows.started).toEqual([]);
    expect(gateway.log()).toContain('"request_refused"');
    expect(gateway.log()).not.toContain(SECRET);
    expect(gateway.log()).not.toContain('acme');

    // as GitHub sends it when it is told to send forms
    const answer = await fetch(`${gateway.url}/webhooks/github`, {
      method: 'POST',
      headers: { ...signed(form), 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await outcomes(gateway)).toEqual({ refused: 12, taken: 1 });
    await followed(flows, 'local/acme/api');
  });

  test('a server that is not configured, or twice the same, is said at the start', async ({ flows }) => {
    const { estate, client } = flows;
    const webhook = { provider: 'local', forge: 'github', secretEnv: 'NO_SUCH_SECRET' };
    await expect(startGateway(estate, client, { webhooks: [webhook] })).rejects.toThrow(/NO_SUCH_SECRET .* is not set/);
    await expect(startGateway(estate, client, { webhooks: [{ ...webhook, provider: 'none' }] })).rejects.toThrow(
      /there is no provider "none"/,
    );
    await expect(startGateway(estate, client, { webhooks: [{ ...webhook, forge: undefined }] })).rejects.toThrow(
      /set "forge"/,
    );
    await startFlow(client, 'syncRepositories', { all: true });
  });
});

describe('what happens on a forge', () => {
  const forges = new Map<string, Forge>();
  test.override('webhooks', [{ provider: 'work', secretEnv: 'WEBHOOK_SECRET' }]);
  test.override('providers', async ({}, { onCleanup }) => async (root: string) => {
    const forge = await startForge(root);
    forges.set(root, forge);
    onCleanup(() => forge.close());
    return [{ name: 'work', type: 'github', url: forge.url }];
  });

  test('created, renamed, transferred, archived, unarchived, deleted: the index follows', async ({
    flows,
    gateway,
  }) => {
    const { estate, tools } = flows;
    const forge = forges.get(estate.root);
    if (!forge) throw new Error('no forge was started');
    const happens = async (action: string, name: string, changes: object = {}): Promise<string[]> => {
      const payload = repositoryPayload(name, { action, changes });
      const { status, body } = await deliver(gateway.url, 'repository', payload);
      expect(status).toBeLessThan(300);
      if (status === 202) await followed(flows, `work/${name}`);
      else expect(body).toHaveProperty('ignored');
      return (await tools.store.receipts()).map(({ repository }) => repository);
    };
    await estate.create('acme/web', { 'w.ts': LANES });
    await estate.create('acme/api', { 'a.ts': LANES });
    await estate.create('other/tool', { 'a.ts': LANES });
    expect(await happens('created', 'other/tool')).toEqual([]);
    expect(await happens('created', 'acme/web')).toEqual(['work/acme/web']);
    expect(await happens('created', 'acme/api')).toEqual(['work/acme/api', 'work/acme/web']);

    await forge.rename('acme/api', 'acme/interface');
    const renamed = await happens('renamed', 'acme/interface', { repository: { name: { from: 'api' } } });
    expect(renamed).toEqual(['work/acme/interface', 'work/acme/web']);

    await forge.rename('acme/interface', 'other/interface');
    const transferred = await happens('transferred', 'other/interface', {
      owner: { from: { organization: { login: 'acme' } } },
    });
    expect(transferred).toEqual(['work/acme/web', 'work/other/interface']);

    forge.archived.add('acme/web');
    expect(await happens('archived', 'acme/web')).toEqual(['work/other/interface']);
    forge.archived.delete('acme/web');
    expect(await happens('unarchived', 'acme/web')).toEqual(['work/acme/web', 'work/other/interface']);

    // a message that is older than what is there now
    expect(await happens('deleted', 'acme/web')).toEqual(['work/acme/web', 'work/other/interface']);
    // nor does it take out what nobody declared
    for (const late of ['archived', 'deleted']) {
      expect(await happens(late, 'other/interface')).toEqual(['work/acme/web', 'work/other/interface']);
    }
    await rm(estate.gitDir('other/interface'), { recursive: true });
    expect(await happens('deleted', 'other/interface')).toEqual(['work/acme/web']);
    // still to be seen
    expect(await happens('privatized', 'acme/web')).toEqual(['work/acme/web']);
    await estate.create('acme/api', { 'a.ts': LANES });
    await rm(estate.gitDir('acme/web'), { recursive: true });
    expect(await happens('privatized', 'acme/web')).toEqual([]);
  }, 240_000);
});

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
      ({ progress }) => (progress as { stage?: string } | null)?.stage === 'waiting for confirmation',
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
    // the same request again is answered as the first was; another one comes too late
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, answer)).toMatchObject({ status: 200 });
    expect(await ask(gateway, 'POST', `${run}/updates/confirm`, { body: { proceed: false } })).toMatchObject({
      status: 409,
      body: { error: { type: 'Conflict' } },
    });
    const ended = await until(gateway, id, ({ status }) => status === 'COMPLETED');
    expect(ended.body).toMatchObject({ result: { succeeded: 1, failed: 0 }, progress: { stage: 'done' } });

    // sent again after it has ended: the same run; another input under the same key is a mistake
    const again = await ask(gateway, 'POST', '/v1/flows/onboardRepositories', { body, headers });
    expect(again.body).toEqual(started.body);
    const other = await ask(gateway, 'POST', '/v1/flows/onboardRepositories', { body: { patterns: ['b/*'] }, headers });
    expect(other).toMatchObject({ status: 422, body: { error: { type: 'InvalidInput' } } });
  });

  test('a flow that goes on as a new run has not ended for whoever asks for its first run', async ({
    flows,
    gateway,
  }) => {
    const { connection, options } = flows.client;
    const { namespace } = options;
    // by hand, and not replayed: no flow of ours has done enough for that so soon
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

  test('a key can do what it is for, as often as it may, and nothing else', async ({ gateway, flows }) => {
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

  test('a service tells of a push, and signals a run', async ({ flows, gateway }) => {
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

  test('it says whether it lives and whether it can work, and describes itself', async ({ flows, gateway }) => {
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

describe('`longhaul gateway`', () => {
  test('a hundred deliveries a second for ten seconds: none is lost, none takes long', async ({ flows }) => {
    const { estate, client, started } = flows;
    const repositories = Array.from({ length: 20 }, (_, n) => `acme/r${n}`);
    for (const name of repositories) await estate.create(name, { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const heads = new Map<string, string>();
    for (const name of repositories) heads.set(name, await estate.commit(name, { 'b.ts': `// ${name}\n` }));
    const webhook = { provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' };
    const gateway = await startGatewayProcess(estate, { webhooks: [webhook] });
    const { stdout } = await execa(process.execPath, [DELIVERIES, gateway.url, SECRET, '1000', '100', ...repositories]);
    const { accepted, took, seconds } = JSON.parse(stdout) as { accepted: number; took: number[]; seconds: number };
    const at = (share: number): number => Math.round(took[Math.floor(took.length * share)] ?? Number.NaN);
    started.push(['deliveries', (await client.workflow.getHandle('deliveries').describe()).runId]);
    let events = 0;
    for (const name of repositories) {
      await followed(flows, `local/${name}`);
      events += sumOf(await runsOf(flows, `local/${name}`), 'events');
    }
    console.info(`${took.length} deliveries in ${seconds.toFixed(1)} s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
    expect({ accepted, events }).toEqual({ accepted: 1_000, events: 1_000 });
    const samples = await scrape(gateway.metricsAddress);
    expect(samples.get('longhaul_gateway_deliveries_total{forge="github",result="taken"}')).toBe(1_000);
    expect(samples.get('longhaul_gateway_answers_total{route="/webhooks/github",status="202"}')).toBe(1_000);
    expect(samples.get('longhaul_gateway_answer_seconds_count{route="/webhooks/github"}')).toBe(1_000);
    expect(await (await fetch(`http://${gateway.metricsAddress}/readyz`)).json()).toEqual({
      ready: true,
      checks: ['gateway', 'temporal'].map((name) => ({ name, ok: true })),
    });
    for (const [name, commit] of heads) expect(await indexed(flows, `local/${name}`)).toBe(commit);
    // the patience of a forge: how busy this machine is, nobody knows (docs/gateway.md has what a quiet one does)
    expect(at(0.99)).toBeLessThan(10_000);
    const { exitCode, log } = await gateway.stop();
    expect(exitCode).toBe(0);
    expect(log).toContain('"gateway_stopped"');
    expect(log).not.toContain(SECRET);
  }, 240_000);
});
