import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createKey, keyOf } from '../../../client/gateway/api-key.ts';
import { FLOWS } from '../../../domain/flows.ts';
import { VERSION } from '../../../client/core/version.ts';
import { describeApi } from '../../../client/gateway/openapi.ts';
import { createBodies } from '../../../client/gateway/bodies.ts';
import { createGatewayMetrics } from '../../../client/gateway/metrics.ts';
import { createOutbox } from '../../../client/gateway/outbox.ts';
import { createRateLimit } from '../../../client/gateway/rate-limit.ts';
import { createRecent } from '../../../client/gateway/seen-deliveries.ts';
import { createGateway } from '../../../client/gateway/server.ts';
import { SIGNING } from '../../../client/gateway/signature.ts';
import { branchFilter, repositoryFilter } from '../../../client/gateway/repository-filter.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { samplesIn } from '../../support/scrape.ts';
import { Validator } from '@seriousme/openapi-schema-validator';

const SECRET = "It's a Secret to Everybody";
const DIGEST = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
const body = Buffer.from('Hello, World!');

describe('signatures', () => {
  test.for([
    ['github', { 'x-hub-signature-256': `sha256=${DIGEST}` }, true],
    ['github', { 'x-hub-signature-256': `sha256=${DIGEST.replace('7', '8')}` }, false],
    ['github', { 'x-hub-signature-256': `sha256=${DIGEST.toUpperCase()}` }, false],
    ['github', { 'x-hub-signature': `sha256=${DIGEST}` }, false],
    ['github', {}, false],
    ['gitea', { 'x-gitea-signature': DIGEST }, true],
    ['gitea', { 'x-forgejo-signature': DIGEST }, true],
    ['gitea', { 'x-gitea-signature': 'f'.repeat(64) }, false],
    ['bitbucket', { 'x-hub-signature': `sha256=${DIGEST}` }, true],
    ['gitlab', { 'x-gitlab-token': SECRET }, true],
    ['gitlab', { 'x-gitlab-token': `${SECRET} ` }, false],
    ['azure-devops', { authorization: `Basic ${btoa(`anybody:${SECRET}`)}` }, true],
    ['azure-devops', { authorization: `Basic ${btoa('anybody:other')}` }, false],
    ['azure-devops', { authorization: `Bearer ${SECRET}` }, false],
  ] as const)('%s %j: %s', ([forge, headers, expected]) => {
    const { claim, proves } = SIGNING[forge];
    const claimed = claim({ ...headers });
    expect(claimed !== null && proves(claimed, body, SECRET)).toBe(expected);
  });
});

describe('API keys', () => {
  const { key, id, hash } = createKey();
  const known = { id, hash, name: 'ci', flows: [], signals: [], updates: [], requestsPerMinute: 1 };

  test('a key is authenticated by its secret, and only a hash of it is stored', () => {
    expect(keyOf([known], `Bearer ${key}`)).toBe(known);
    expect(hash).not.toContain(key.slice(-43));
    const other = createKey();
    for (const wrong of [undefined, '', key, `Bearer ${other.key}`, `Bearer lh_${id}_${other.key.slice(-43)}`]) {
      expect(keyOf([known], wrong), wrong).toBeNull();
    }
    expect(keyOf([], `Bearer ${key}`)).toBeNull();
  });

  test('a bucket lets a burst of a minute pass, then one after another', () => {
    const limit = createRateLimit(60);
    for (let n = 0; n < 60; n++) expect(limit.take(1_000)).toBeNull();
    expect(limit.take(1_000)).toBe(1);
    expect(limit.take(1_500)).toBe(1);
    expect(limit.take(2_000)).toBeNull();
    expect(limit.take(2_000)).toBe(1);
    for (let n = 0; n < 60; n++) expect(limit.take(3_600_000)).toBeNull();
    expect(limit.take(3_600_000)).toBe(1);
  });
});

test('a service names a repository by its id, never by an address that a worker would fetch from', async () => {
  const { key, id, hash } = createKey();
  const config = configSchema.parse({ gateway: { keys: [{ id, hash, name: 'ci', flows: ['syncRepository'] }] } });
  const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
  const server = await createGateway({
    config,
    env: {},
    client,
    logger: pino({ level: 'silent' }),
    metrics: createGatewayMetrics(),
  });
  for (const cloneUrl of ['/home/somebody/private', 'file:///srv/git/private', 'http://169.254.169.254/latest']) {
    const answer = await server.inject({
      method: 'POST',
      url: '/v1/flows/syncRepository',
      headers: { authorization: `Bearer ${key}` },
      payload: { repository: { id: 'work/acme/api', cloneUrl } },
    });
    expect(answer.statusCode, cloneUrl).toBe(422);
    expect(answer.json()).toMatchObject({ error: { type: 'InvalidInput' } });
  }
  const { components } = describeApi(FLOWS) as { components: { schemas: Record<string, unknown> } };
  expect(JSON.stringify(components.schemas['syncRepositoryInput'])).not.toContain('cloneUrl');
  await server.close();
});

test('a declaration of groups that is no text, or 50 MB of it, is refused by the gateway itself', async () => {
  const { key, id, hash } = createKey();
  const config = configSchema.parse({ gateway: { keys: [{ id, hash, name: 'ci', flows: ['applySyncGroups'] }] } });
  const server = await createGateway({
    config,
    env: {},
    client: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }),
    logger: pino({ level: 'silent' }),
    metrics: createGatewayMetrics(),
  });
  const post = async (document: unknown): Promise<{ status: number; error: { type: string; message: string } }> => {
    const answer = await server.inject({
      method: 'POST',
      url: '/v1/flows/applySyncGroups',
      headers: { authorization: `Bearer ${key}` },
      payload: { document, source: { file: 'sync-groups.yaml', by: 'ci' } },
    });
    return { status: answer.statusCode, ...answer.json<{ error: { type: string; message: string } }>() };
  };
  expect(await post('x'.repeat(50_000_000))).toMatchObject({ status: 413, error: { type: 'PayloadTooLarge' } });
  expect(await post({ version: 1 })).toMatchObject({ status: 422, error: { type: 'InvalidInput' } });
  // longer than any declaration may be: it would only fail in the worker
  const long = await post(`# ${'x'.repeat(200_000)}`);
  expect(long).toMatchObject({ status: 422, error: { type: 'InvalidInput' } });
  expect(long.error.message).toMatch(/document.*200000/);
  await server.close();
});

describe('bodies', () => {
  /** A body whose first bytes arrive immediately, and the rest when the test continues. */
  function slowBody(first: number): { readonly stream: Readable; end(): void } {
    const stream = new Readable({ read: () => undefined });
    stream.push(Buffer.alloc(first, 'a'));
    return { stream, end: () => void stream.push(null) };
  }

  test('a body is read completely, up to the limit', async () => {
    const receive = createBodies({ largest: 10, small: 5, most: 100 });
    expect(await receive(Readable.from([Buffer.from('ab'), Buffer.from('c')]))).toEqual(Buffer.from('abc'));
    await expect(receive(Readable.from([Buffer.alloc(6), Buffer.alloc(6)]))).rejects.toMatchObject({ statusCode: 413 });
  });

  test('large bodies are refused while too many are in progress; small ones pass, and later large ones too', async () => {
    const receive = createBodies({ largest: 100, small: 5, most: 100 });
    const [one, other] = [slowBody(60), slowBody(30)];
    const held = [one, other].map(({ stream }) => receive(stream));
    await setImmediate();
    const refused = slowBody(20);
    await expect(receive(refused.stream)).rejects.toMatchObject({ statusCode: 503, retryAfter: 10 });
    // the sender of an unread body does not hang
    refused.end();
    await once(refused.stream, 'end');
    expect(await receive(Readable.from([Buffer.from('abc')]))).toHaveLength(3);
    one.end();
    other.end();
    expect((await Promise.all(held)).map(({ length }) => length)).toEqual([60, 30]);
    expect(await receive(Readable.from([Buffer.alloc(90)]))).toHaveLength(90);
  });

  test('a disconnected sender leaves no memory in use', async () => {
    const receive = createBodies({ largest: 100, small: 5, most: 100 });
    const { stream } = slowBody(90);
    const held = receive(stream);
    await setImmediate();
    stream.destroy(new Error('aborted'));
    await expect(held).rejects.toMatchObject({ statusCode: 400 });
    expect(await receive(Readable.from([Buffer.alloc(90)]))).toHaveLength(90);
  });
});

describe('the outbox', () => {
  test('items that arrive during a request go together with the next one, in order', async () => {
    const handed: string[] = [];
    let answer = (): void => undefined;
    const outbox = createOutbox<string>(async (items) => {
      handed.push(items.join(''));
      await new Promise<void>((resolve) => (answer = resolve));
    });
    const first = Promise.all(['a', 'b', 'c'].map(outbox));
    await setImmediate();
    const second = Promise.all(['d', 'e'].map(outbox));
    await setImmediate();
    expect(handed).toEqual(['abc']);
    answer();
    await first;
    await setImmediate();
    expect(handed).toEqual(['abc', 'de']);
    answer();
    await second;
  });

  test('a failed request rejects only its own items', async () => {
    let fails = true;
    const handed: number[] = [];
    const outbox = createOutbox<number>(async (items) => {
      if (fails) throw new Error('away');
      handed.push(items.length);
    });
    await expect(outbox(1)).rejects.toThrow('away');
    await expect(outbox(2)).rejects.toThrow('away');
    fails = false;
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => outbox(n)));
    expect(handed).toEqual([500, 500, 200]);
  });
});

test('recent names are remembered, the oldest is dropped first', () => {
  const recent = createRecent(2);
  for (const name of ['a', 'b', 'a', 'c']) recent.add(name);
  expect(['a', 'b', 'c'].map(recent.has)).toEqual([false, true, true]);
});

test('metrics count deliveries by result from the first scrape, and answers by route and status', async () => {
  const metrics = createGatewayMetrics();
  metrics.expect('github');
  metrics.delivered('github', 'taken');
  metrics.delivered('github', 'taken');
  metrics.answered({ route: '/v1/runs/:id', status: 404, seconds: 0.02 });
  metrics.answered({ route: '/v1/runs/:id', status: 200, seconds: 3 });
  const samples = samplesIn(await metrics.text());
  const of = (result: string): number | undefined =>
    samples.get(`longhaul_gateway_deliveries_total{forge="github",result="${result}"}`);
  expect(['taken', 'duplicate', 'ignored', 'refused', 'failed', 'other'].map(of)).toEqual([2, 0, 0, 0, 0, undefined]);
  expect([...samples]).toEqual(
    expect.arrayContaining([
      ['longhaul_gateway_answers_total{route="/v1/runs/:id",status="404"}', 1],
      ['longhaul_gateway_answer_seconds_bucket{le="0.01",route="/v1/runs/:id"}', 0],
      ['longhaul_gateway_answer_seconds_bucket{le="0.025",route="/v1/runs/:id"}', 1],
      ['longhaul_gateway_answer_seconds_count{route="/v1/runs/:id"}', 2],
    ]),
  );
  expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
});

test('the OpenAPI document is valid', async () => {
  const document = describeApi(FLOWS);
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: VERSION } });
  const broken = await new Validator().validate({ ...document, paths: { healthz: {} } });
  expect(broken.valid).toBe(false);
});

test('longhaul.yaml and the sync groups decide what is indexed', async () => {
  const config = configSchema.parse({
    providers: [{ name: 'work', type: 'github' }],
    gateway: { onboard: ['acme/*', 'work/other/tool'] },
  });
  const groups = [{ patterns: ['third/*'], exclude: ['third/old'] }];
  const matchesRepository = repositoryFilter(config, () => Promise.resolve(groups));
  const answers = async (ids: readonly string[]): Promise<boolean[]> => Promise.all(ids.map(matchesRepository));
  const yes = ['work/acme/api', 'local/acme/api', 'work/other/tool', 'work/acme/*', 'work/third/new'];
  expect(await answers(yes)).toEqual(yes.map(() => true));
  const no = ['work/other/tools', 'local/other/tool', 'work/*/*', 'work/third/old'];
  expect(await answers(no)).toEqual(no.map(() => false));
  const matchesBranches = branchFilter(config, () =>
    Promise.resolve([{ patterns: ['third/*'], exclude: ['third/old'], branches: ['release/*', 'next'] }]),
  );
  expect(await matchesBranches('work/third/new', ['other', 'release/1'])).toBe(true);
  expect(await matchesBranches('work/third/new', ['other'])).toBe(false);
  expect(await matchesBranches('work/third/old', ['next'])).toBe(false);
  expect(await matchesBranches('work/acme/api', ['next'])).toBe(false);
  const wrong = { ...config, gateway: { ...config.gateway, onboard: ['a/b/c/d/e'] } };
  expect(() => repositoryFilter(wrong, () => Promise.resolve([]))).toThrow(/gateway\.onboard/);
});
