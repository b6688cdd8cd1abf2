import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { openModel, shareModel } from '../../../activities/index/models/embedder.ts';
import type { EmbeddingModel, ModelConfig } from '../../../activities/index/models/embedder.ts';
import { readModelFiles } from '../../../activities/index/models/model-files.ts';
import { readStaticModel, writeStaticModel } from '../../../activities/index/models/static-model.ts';
import { cosine, FIRST_RUN_MS, realModel } from './real-model.ts';

const PAIRS = [
  ['read a file from disk', 'function readFileSync(path) { return fs.readSync(open(path)) }'],
  ['send an HTTP request', 'class HttpClient { fetch(url, options) { return this.agent.request(url) } }'],
  ['sort an array', 'def quicksort(items): pivot = items[0]; return sorted(left) + [pivot] + sorted(right)'],
  ['encrypt a password', 'hash = bcrypt.hash(password, salt); cipher = aes.encrypt(secret)'],
  ['parse JSON text', 'value = json.loads(text)  # decode a JSON document'],
  ['connect to the database', 'conn = psycopg2.connect(host=host, dbname="postgres"); cursor = conn.cursor()'],
] as const;

describe.each(['static', 'onnx'] as const)('the %s model', (kind) => {
  let config: ModelConfig;
  let model: EmbeddingModel;
  beforeAll(async () => {
    config = await realModel(kind);
    model = await openModel(config);
  }, FIRST_RUN_MS);
  afterAll(() => model.close());

  test('has vectors of length 1 that are the same each time, regardless of the batch', async () => {
    const [alone] = await model.embed(['const answer = 42;']);
    const [, among] = await model.embed(['another text', 'const answer = 42;', '']);
    expect(alone).toHaveLength(model.dimensions);
    expect(among).toEqual(alone);
    expect(cosine(alone, alone)).toBeCloseTo(1, 5);
  });

  test('finds the code that a question is about', async () => {
    const questions = await model.embed(PAIRS.map(([question]) => question));
    const codes = await model.embed(PAIRS.map(([, code]) => code));
    for (const [i, question] of questions.entries()) {
      const similarities = codes.map((code) => cosine(question, code));
      expect(similarities.indexOf(Math.max(...similarities)), PAIRS[i]?.[0]).toBe(i);
    }
  });

  test('accepts any text', async () => {
    const texts = ['', ' \n', '\0', '漢字', '😀'.repeat(500), 'x'.repeat(20_000), '\ud800', 'a '.repeat(5_000)];
    const vectors = await model.embed(texts);
    expect(vectors).toHaveLength(texts.length);
    for (const vector of vectors) expect(vector.every((value) => Number.isFinite(value))).toBe(true);
  });

  test('is named by 16 digits, which another model does not have', async () => {
    expect(model.digest).toMatch(/^[0-9a-f]{16}$/);
    expect((await shareModel(config)).digest).toBe(model.digest);
    expect((await shareModel({ ...config, kind: kind === 'static' ? 'onnx' : 'static' })).digest).not.toBe(
      model.digest,
    );
  });
});

describe('model files', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'longhaul-model-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('are named by their contents, also after one of them changed', async () => {
    await writeFile(join(folder, 'model.onnx'), 'a');
    await writeFile(join(folder, 'tokenizer.json'), '{}');
    const cache = join(folder, 'cache');
    const { digest } = await readModelFiles(folder, cache);
    expect((await readModelFiles(folder, cache)).digest).toBe(digest);
    await writeFile(join(folder, 'model.onnx'), 'bc');
    expect((await readModelFiles(folder, cache)).digest).not.toBe(digest);
  });

  test.each(['static', 'onnx'] as const)(
    'that are not a %s model are rejected with a typed failure',
    { timeout: 60_000 },
    async (kind) => {
      await writeFile(join(folder, 'model.onnx'), 'this is no graph');
      await writeFile(join(folder, 'tokenizer.json'), '{"model":{"type":"BPE"}}');
      await expect(openModel({ kind, folder, cacheDir: folder })).rejects.toMatchObject({
        type: 'InvalidConfiguration',
      });
    },
  );

  test('that are missing are reported by name', async () => {
    const missing = join(folder, 'missing');
    await expect(openModel({ kind: 'static', folder: missing, cacheDir: folder })).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining(missing) as string,
    });
  });
});

describe('a static model file', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'longhaul-static-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is read as it was written, and rejected when it is truncated or another file', async () => {
    const file = join(folder, 'model.bin');
    const matrix = Int8Array.from([1, -2, 3, 4, 5, -127]);
    const scales = Float32Array.from([0.5, 0.25, 2]);
    const importance = Float32Array.from([1, 0.5, 0]);
    await writeStaticModel(file, { dimensions: 2, matrix, scales, importance });
    const read = await readStaticModel(file);
    expect(read).toMatchObject({ tokens: 3, dimensions: 2 });
    expect(new Int8Array(read?.matrix ?? new ArrayBuffer(0))).toEqual(matrix);
    expect(new Float32Array(read?.scales ?? new ArrayBuffer(0))).toEqual(scales);
    expect(new Float32Array(read?.importance ?? new ArrayBuffer(0))).toEqual(importance);
    const whole = await readFile(file);
    await truncate(file, whole.length - 1);
    expect(await readStaticModel(file)).toBeNull();
    await writeFile(file, whole.fill(7, 0, 4));
    expect(await readStaticModel(file)).toBeNull();
    expect(await readStaticModel(join(folder, 'missing'))).toBeNull();
  });

  test(
    'is not created when distilling is aborted',
    async () => {
      const { folder: files } = await realModel('static');
      const signal = AbortSignal.timeout(300);
      const cacheDir = join(folder, 'aborted');
      await expect(openModel({ kind: 'static', folder: files, cacheDir }, { signal })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
      await expect(readFile(join(cacheDir, 'models'))).rejects.toMatchObject({ code: 'ENOENT' });
    },
    FIRST_RUN_MS,
  );
});
