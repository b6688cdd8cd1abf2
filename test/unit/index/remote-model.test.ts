import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createAnalyzer } from '../../../activities/index/analysis/analyzer.ts';
import type { FaultyFile, SourceFile } from '../../../activities/index/analysis/analyzer.ts';
import { openOpenAiModel } from '../../../activities/index/models/openai-model.ts';
import { cut, requestsOf } from '../../../activities/index/models/remote-model.ts';
import type { RemoteModel } from '../../../activities/index/models/remote-model.ts';
import type { OpenAiModelConfig } from '../../../domain/config/models.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type EmbeddingEndpoint, type Misbehaviour, startEmbeddingEndpoint } from '../../support/embedding-endpoint.ts';
import { cosine, FIRST_RUN_MS, realModel } from './real-model.ts';

const KEY = 'sk-the-secret-of-this-test';

let folder: string;
let endpoint: EmbeddingEndpoint;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-remote-'));
  endpoint = await startEmbeddingEndpoint(await realModel('onnx'), KEY);
}, FIRST_RUN_MS);
afterEach(() => {
  endpoint.misbehave = null;
  endpoint.forget();
});
afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

const configOf = (change: Partial<OpenAiModelConfig> = {}): OpenAiModelConfig => ({
  type: 'openai',
  url: `${endpoint.origin}/v1`,
  model: 'minilm',
  dimensions: 384,
  apiKeyEnv: 'THE_KEY',
  budget: { concurrency: 4 },
  batch: { inputs: 4, bytes: 250_000 },
  maxInputBytes: 8_191,
  timeoutSeconds: 10,
  ...change,
});

/** Opens the endpoint's model, with its own cache. */
function open(change: Partial<OpenAiModelConfig> = {}, apiKey: string | null = KEY): Promise<RemoteModel> {
  return openOpenAiModel(configOf(change), { apiKey, cacheDir: join(folder, `cache-${++made}`) });
}

/** The failure of a rejected promise, which must be a `LonghaulError` without the key. */
async function failureOf(work: Promise<unknown>): Promise<LonghaulError> {
  const error = await work.then(
    () => new Error('it was fulfilled'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof LonghaulError)) throw error;
  expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain(KEY);
  return error;
}

/** Misbehaves at the first requests, as often as there are faults. */
function misbehaveAtFirst(...faults: (Misbehaviour | null)[]): void {
  endpoint.misbehave = () => faults.shift() ?? null;
}

describe('a model behind an OpenAI-compatible endpoint', () => {
  const texts = ['read the name of a user', 'paint a triangle', 'read a user’s name'];

  test('returns vectors of length 1 in the order of the texts, also when the answer is in another order', async () => {
    const model = await open();
    const vectors = await model.embed(texts);
    expect(vectors.map((vector) => vector.length)).toEqual([384, 384, 384]);
    for (const vector of vectors) expect(cosine(vector, vector)).toBeCloseTo(1, 5);
    expect(cosine(vectors[0], vectors[2])).toBeGreaterThan(cosine(vectors[0], vectors[1]) + 0.2);
    misbehaveAtFirst('backwards', 'floats');
    expect(await model.embed(texts)).toEqual(vectors);
    expect(await model.embed(texts)).toEqual(vectors);
    expect(endpoint.requests[0]).toMatchObject({ inputs: texts, authorization: `Bearer ${KEY}` });
  });

  test('its digest depends only on url, model, dimensions and maximum input', async () => {
    const digests = await Promise.all([
      open(),
      open({ budget: { concurrency: 1, requestsPerMinute: 5 }, batch: { inputs: 9, bytes: 9_000 }, timeoutSeconds: 9 }),
      open({ model: 'other' }),
      open({ url: 'http://127.0.0.1:9/v1' }),
      open({ dimensions: 128 }),
      open({ maxInputBytes: 1_000 }),
    ]).then((models) => models.map(({ digest }) => digest));
    expect(digests[1]).toBe(digests[0]);
    expect(new Set(digests)).toHaveLength(5);
  });

  test('reads the length of its vectors once', async () => {
    const { dimensions: _, ...config } = configOf();
    const options = { apiKey: KEY, cacheDir: join(folder, 'asked') };
    const first = await openOpenAiModel(config, options);
    const second = await openOpenAiModel(config, options);
    expect([first.dimensions, second.dimensions]).toEqual([384, 384]);
    expect(second.digest).toBe(first.digest);
    expect(endpoint.requests).toHaveLength(1);
    expect((await (await open({ dimensions: 100 })).embed(texts)).map(({ length }) => length)).toEqual([100, 100, 100]);
  });

  test.for<[string, Misbehaviour]>([
    ['status 500', { status: 500, message: 'out of order' }],
    ['a request to wait', { status: 429, message: 'slow down', headers: { 'retry-after-ms': '20' } }],
    ['half an answer', 'half'],
    ['a number that is none', 'nan'],
    ['a number that is missing', 'null'],
    ['a broken connection', 'cut'],
  ])('tries again after %s', async ([, fault]) => {
    const model = await open();
    misbehaveAtFirst(fault);
    expect(await model.embed(texts)).toHaveLength(3);
    expect(endpoint.requests).toHaveLength(2);
  });

  test.for<[LonghaulError['type'], RegExp, Misbehaviour]>([
    ['AuthenticationFailed', /refuses the key in THE_KEY/, { status: 401, message: `Incorrect key ${KEY}` }],
    ['AuthenticationFailed', /refuses the key in THE_KEY/, { status: 403, message: `not for ${KEY}` }],
    ['InvalidConfiguration', /minilm at .* was not found.*not exist/, { status: 404, message: 'it does not exist' }],
    ['InvalidConfiguration', /too long.*maxInputBytes/, { status: 400, message: `too long, ${KEY}` }],
    ['InvalidConfiguration', /385 numbers, but 384 were expected/, 'wide'],
    ['RateLimited', /asks to wait/, { status: 429, message: 'come back', headers: { 'retry-after': '3600' } }],
  ])('fails with %s %s at once', async ([type, message, fault]) => {
    const model = await open();
    endpoint.misbehave = () => fault;
    const failure = await failureOf(model.embed(texts));
    expect(failure).toMatchObject({ type, message: expect.stringMatching(message) as string });
    expect(failure.retryAfterMs).toBe(type === 'RateLimited' ? 3_600_000 : undefined);
    expect(endpoint.requests).toHaveLength(1);
  });

  test('follows no redirect: neither the key nor a text is sent to another address', async () => {
    const other = await startEmbeddingEndpoint(await realModel('onnx'), KEY);
    try {
      for (const status of [301, 302, 307, 308]) {
        const model = await open();
        endpoint.forget();
        endpoint.misbehave = () => ({ status, message: '', headers: { location: `${other.origin}/v1/embeddings` } });
        expect(await failureOf(model.embed(texts))).toMatchObject({
          type: 'InvalidConfiguration',
          message: expect.stringContaining(`redirects to ${new URL(other.origin).host} (status ${status})`) as string,
        });
        expect(endpoint.requests).toHaveLength(1);
      }
      expect(other.requests).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('retries a request after a timeout', { timeout: 60_000 }, async () => {
    const model = await open({ timeoutSeconds: 1 });
    const free: (() => void)[] = [];
    endpoint.misbehave = () => new Promise((resolve) => free.push(() => resolve(null)));
    const work = failureOf(model.embed(texts));
    // the second request shows that the first one was aborted
    await expect.poll(() => endpoint.requests.length, { timeout: 20_000 }).toBe(2);
    endpoint.misbehave = () => ({ status: 400, message: 'enough' });
    expect(await work).toMatchObject({ type: 'InvalidConfiguration' });
    for (const answer of free) answer();
  });

  test('keeps the digest that its vectors were stored under', async () => {
    const { digest } = await openOpenAiModel(configOf({ url: 'https://api.example.com/v1' }), {
      apiKey: KEY,
      cacheDir: folder,
    });
    expect(digest).toBe('05c6a1d96ea46a86');
  });

  test('fails with ServerUnavailable after some attempts', { timeout: 60_000 }, async () => {
    const model = await open();
    const headers = { 'retry-after-ms': '50' };
    endpoint.misbehave = () => ({ status: 503, message: `overloaded ${KEY}`, headers });
    expect(await failureOf(model.embed(texts))).toMatchObject({ type: 'ServerUnavailable' });
    expect(endpoint.requests).toHaveLength(5);
    const nobody = await open({ url: 'http://127.0.0.1:9/v1' });
    expect(await failureOf(nobody.embed(texts))).toMatchObject({
      type: 'ServerUnavailable',
      message: expect.stringMatching(/minilm at http:\/\/127\.0\.0\.1:9\/v1 does not answer/) as string,
    });
  });

  test('without a key sends none, and reports that one is required', async () => {
    const { apiKeyEnv: _, ...config } = configOf();
    const model = await openOpenAiModel(config, { apiKey: null, cacheDir: folder });
    expect(await failureOf(model.embed(texts))).toMatchObject({
      type: 'AuthenticationFailed',
      message: expect.stringContaining('set apiKeyEnv') as string,
    });
    expect(endpoint.requests[0]?.authorization).toBeUndefined();
  });

  test('stops immediately on an abort: in progress, and waiting for the budget', async () => {
    const model = await open({ budget: { concurrency: 1 } });
    let free = (): void => undefined;
    endpoint.misbehave = () => new Promise((resolve) => (free = () => resolve(null)));
    const controller = new AbortController();
    const reason = new Error('enough');
    const work = [model.embed(['a'], controller), model.embed(['b'], controller)];
    await expect.poll(() => endpoint.requests.length).toBe(1);
    controller.abort(reason);
    for (const result of await Promise.allSettled(work)) expect(result).toEqual({ status: 'rejected', reason });
    expect(endpoint.requests).toHaveLength(1);
    free();
    endpoint.misbehave = null;
    expect(await model.embed(['c'])).toHaveLength(1);
  });
});

describe('the budget', () => {
  test('is one for all models of an endpoint', async () => {
    const budget = { requestsPerMinute: 60_000, concurrency: 1 };
    const [one, other] = await Promise.all([open({ budget }), open({ budget })]);
    await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? one : other).embed([`text ${i}`])));
    expect(endpoint.requests).toHaveLength(12);
    expect(endpoint.mostAtOnce()).toBe(1);
  });

  test('counts tokens as the server does', async () => {
    // 6,000 tokens a minute are 10 ms a token: 60 letters are let through as 20 tokens, and count as 60
    const model = await open({ budget: { tokensPerMinute: 6_000, concurrency: 1 } });
    await Promise.all(['a', 'b'].map((letter) => model.embed([letter.repeat(60)])));
    const [first = 0, second = 0] = endpoint.requests.map(({ at }) => at);
    expect(second - first).toBeGreaterThan(550);
  });

  test('limits concurrent requests, and pauses all when the server asks to wait', async () => {
    const model = await open({ budget: { concurrency: 2 } });
    misbehaveAtFirst({ status: 429, message: 'slow down', headers: { 'retry-after': '1' } });
    await Promise.all(Array.from({ length: 6 }, (_, i) => model.embed([`one of six: ${i}`])));
    expect(endpoint.mostAtOnce()).toBeLessThanOrEqual(2);
    const [first = 0, ...others] = endpoint.requests.map(({ at }) => at);
    expect(endpoint.requests).toHaveLength(7);
    expect(others.filter((at) => at > first + 900).length).toBeGreaterThanOrEqual(5);
  });
});

describe('an analyzer with a remote model', () => {
  const files: SourceFile[] = Array.from({ length: 10 }, (_, i) => ({
    path: `file${i}.ts`,
    content: Buffer.from(`export const value${i} = 'number ${i}';\n`),
  }));

  test('embeds each text once, and after a failed request only the remaining ones', { timeout: 60_000 }, async () => {
    const cacheDir = join(folder, 'analyzer');
    const change = { budget: { concurrency: 1 } };
    const first = await createAnalyzer({ model: await open(change), cacheDir, threads: { max: 1 } });
    endpoint.misbehave = (number) => (number > 2 ? { status: 404, message: 'gone' } : null);
    expect(await failureOf(first.analyze([...files, ...files]))).toMatchObject({ type: 'InvalidConfiguration' });
    expect(endpoint.requests.map(({ inputs }) => inputs.length)).toEqual([4, 4, 2]);
    endpoint.misbehave = null;
    endpoint.forget();
    const analysis = await first.analyze([...files, ...files]);
    expect(analysis).toMatchObject({ embedded: 2, reused: 18 });
    expect(endpoint.texts()).toHaveLength(2);

    endpoint.forget();
    const second = await createAnalyzer({ model: await open(change), cacheDir, threads: { max: 1 } });
    const again = await second.analyze(files);
    expect(again).toMatchObject({ embedded: 0, reused: 10 });
    expect(again.files).toEqual(analysis.files.slice(0, 10));
    expect(endpoint.requests).toEqual([]);
    const query = await second.embedQuery('number 7');
    const scores = again.files.map(({ chunks }) => cosine(chunks[0]?.vector, query));
    expect(scores.indexOf(Math.max(...scores))).toBe(7);
    await Promise.all([first.close(), second.close()]);
  });

  test.for([400, 413, 422])(
    'a text that the endpoint refuses with %i costs only its chunk the vector, and is reported once with its path',
    async (status) => {
      const faults: FaultyFile[] = [];
      const analyzer = await createAnalyzer({
        model: await open({ batch: { inputs: 8, bytes: 250_000 } }),
        cacheDir: join(folder, `refused-${status}`),
        threads: { max: 1 },
        onFault: (fault) => faults.push(fault),
      });
      const isRefused = (text: string): boolean => /number [27]'/.test(text);
      endpoint.misbehave = () =>
        endpoint.requests.at(-1)?.inputs.some(isRefused) ? { status, message: 'too many tokens' } : null;
      const analysis = await analyzer.analyze(files, { repository: 'work/acme/api' });
      const lengths = analysis.files.map(({ chunks: [one] }) => Math.hypot(...(one?.vector ?? [])));
      expect(lengths.map((length) => length.toFixed(3))).toEqual(
        files.map((_, at) => (at === 2 || at === 7 ? '0.000' : '1.000')),
      );
      expect(analysis.files[7]?.chunks[0]?.text).toContain("number 7'");
      expect(analysis.embedded).toBe(8);
      const reason = expect.stringContaining('too many tokens') as string;
      const reports = [2, 7].map((at) => ({ repository: 'work/acme/api', path: `file${at}.ts`, reason }));
      expect(faults).toEqual(reports);
      await analyzer.analyze(files, { repository: 'work/acme/api' });
      expect(faults).toEqual(reports);
      await analyzer.close();
    },
  );

  test('an endpoint that refuses every text fails the analysis', async () => {
    const analyzer = await createAnalyzer({ model: await open(), cacheDir: join(folder, 'refused-all') });
    endpoint.misbehave = () => ({ status: 400, message: 'no dimensions for this model' });
    expect(await failureOf(analyzer.analyze(files))).toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining('no dimensions for this model') as string,
    });
    await analyzer.close();
  });

  test.for<[LonghaulError['type'], number]>([
    ['AuthenticationFailed', 401],
    ['RateLimited', 429],
    ['ServerUnavailable', 503],
  ])('fails with %s for status %i, which no other text avoids', async ([type, status]) => {
    const analyzer = await createAnalyzer({ model: await open(), cacheDir: join(folder, `failed-${status}`) });
    endpoint.misbehave = () => ({ status, message: 'no', headers: { 'retry-after': '3600' } });
    expect(await failureOf(analyzer.analyze(files))).toMatchObject({ type });
    expect(new Set(endpoint.requests.map(({ inputs }) => inputs.length))).not.toContain(1);
    await analyzer.close();
  });

  test('rejects requests in progress when it is closed', async () => {
    const analyzer = await createAnalyzer({ model: await open(), cacheDir: join(folder, 'closed') });
    endpoint.misbehave = () => new Promise(() => undefined);
    const closeWhenAsked = async (): Promise<void> => {
      await expect.poll(() => endpoint.requests.length, { timeout: 20_000 }).toBeGreaterThan(0);
      await analyzer.close();
    };
    const [result] = await Promise.allSettled([analyzer.analyze(files), closeWhenAsked()]);
    expect(result).toMatchObject({ status: 'rejected', reason: { message: 'the analyzer was closed' } });
  });
});

describe('requests', () => {
  test('contain as many texts as fit by count and bytes, and none is lost', () => {
    const texts = ['aaaa', 'bb', 'ü', 'c', 'dddddddd', 'e'];
    expect(requestsOf(texts, { inputs: 2, bytes: 6 })).toEqual([['aaaa', 'bb'], ['ü', 'c'], ['dddddddd'], ['e']]);
    expect(requestsOf([], { inputs: 2, bytes: 6 })).toEqual([]);
  });

  test.for([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['aüb', 2, 'a'],
    ['aüb', 3, 'aü'],
    ['👍👍', 7, '👍'],
    ['👍', 3, ''],
  ] as const)('%j is cut at %i bytes to %j', ([text, bytes, expected]) => {
    expect(cut(text, bytes)).toBe(expected);
  });
});
