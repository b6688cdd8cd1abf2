import { mkdir, mkdtemp, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { DatabaseSync } from 'node:sqlite';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ANALYSIS_CACHE } from '../../../activities/index/analysis/analyzer.ts';
import { rescoringText } from '../../../activities/index/models/embedding-text.ts';
import { createRescorer } from '../../../activities/index/models/rescorer.ts';
import type { ModelConfig } from '../../../activities/index/models/embedder.ts';
import { FIRST_RUN_MS, realModel } from './real-model.ts';

const CHUNKS = [
  { path: 'src/disk.ts', symbols: ['readFile'], text: 'export function readFile(path) { return fs.open(path); }' },
  { path: 'src/paint.ts', symbols: ['fillTriangle'], text: 'function fillTriangle(a, b, c) { canvas.fill(a, b, c); }' },
  { path: 'src/mail.ts', symbols: ['send'], text: 'function send(message) { smtp.connect(); smtp.deliver(message); }' },
];

/** A process that ends while its transformer is in native code. */
const ENDED = `
  import { createRescorer } from '${join(import.meta.dirname, '../../..')}/activities/index/models/rescorer.ts';
  const { folder, cacheDir, how, when, ms } = JSON.parse(process.argv[2]);
  const words = Array.from({ length: 100 }, (_, at) => 'word' + at).join(' ');
  const chunks = Array.from({ length: 40 }, (_, at) => ({ path: at + '.ts', symbols: [], text: at + words }));
  const rescorer = createRescorer(folder, cacheDir);
  await rescorer.prepare();
  if (when === 'compares') await rescorer.similarities('warm', []);
  rescorer.similarities('draw a shape', chunks).catch(() => undefined);
  process.once('SIGINT', () => process.exit(130));
  setTimeout(() => {
    if (how === 'exits') process.exit(7);
    if (how === 'throws') throw new Error('not caught');
    process.kill(process.pid, 'SIGINT');
  }, ms);
`;

describe('the rescorer', () => {
  let config: ModelConfig;
  let cacheDir: string;
  beforeAll(async () => {
    config = await realModel('onnx');
    cacheDir = await mkdtemp(join(tmpdir(), 'longhaul-rescorer-'));
  }, FIRST_RUN_MS);
  afterAll(() => rm(cacheDir, { recursive: true, force: true }));

  test('returns similarities in the given order, the same with cached vectors', async () => {
    const rescorer = createRescorer(config.folder, cacheDir);
    const questions = ['load the contents of a document', 'draw a shape', 'deliver an email'];
    for (const [at, question] of questions.entries()) {
      const similar = await rescorer.similarities(question, CHUNKS);
      expect(similar.indexOf(Math.max(...similar)), question).toBe(at);
    }
    const before = await rescorer.similarities('draw a shape', CHUNKS);
    await rescorer.close();
    const later = createRescorer(config.folder, cacheDir);
    expect(await later.similarities('draw a shape', CHUNKS.toReversed())).toEqual(before.toReversed());
    expect(await later.similarities('draw a shape', [])).toEqual([]);
    await later.close();
  });

  test('closes without use, and reports a missing model', async () => {
    await createRescorer(config.folder, cacheDir).close();
    const missing = createRescorer(join(cacheDir, 'nothing'), cacheDir);
    await missing.prepare();
    await expect(missing.similarities('x', CHUNKS)).rejects.toThrow('There is no embedding model');
    await missing.close();
  });

  test('opens a prepared model in one thread, which ends when it is closed', async () => {
    const threads: Worker[] = [];
    process.on('worker', listen);
    onTestFinished(() => void process.off('worker', listen));
    function listen(thread: Worker): void {
      threads.push(thread);
    }
    const rescorer = createRescorer(config.folder, cacheDir);
    await rescorer.prepare();
    await Promise.all([rescorer.prepare(), rescorer.similarities('draw a shape', CHUNKS)]);
    expect(threads).toHaveLength(1);
    await rescorer.close();
    await expect(rescorer.similarities('draw a shape', CHUNKS)).rejects.toThrow('closed');

    const unused = createRescorer(config.folder, cacheDir);
    await unused.prepare();
    await unused.close();
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  // native code that is interrupted aborts the process
  test('is closed while it opens or compares: calls are rejected, and the process stays', async () => {
    for (const ms of [0, 50, 200, 700]) {
      const rescorer = createRescorer(config.folder, await mkdtemp(join(cacheDir, 'closed-')));
      await rescorer.prepare();
      const call = rescorer.similarities('draw a shape', CHUNKS);
      const ended = call.then(
        () => 'compared',
        (error: unknown) => String(error),
      );
      await delay(ms);
      await rescorer.close();
      expect(await ended).toMatch(/^compared$|is closed/);
    }
  });

  test.for([
    ['exits', 'opens', 0, 7],
    ['exits', 'opens', 200, 7],
    ['exits', 'compares', 20, 7],
    ['exits', 'compares', 150, 7],
    ['throws', 'compares', 80, 1],
    ['handles SIGINT', 'opens', 100, 130],
    ['handles SIGINT', 'compares', 50, 130],
  ] as const)('a process that %s while it %s, after %i ms, ends with its code', async ([how, when, ms, code]) => {
    const options = { folder: config.folder, cacheDir: await mkdtemp(join(cacheDir, 'ended-')), how, when, ms };
    // not `-e`, whose options a thread inherits and refuses
    const script = join(options.cacheDir, 'ended.mts');
    await writeFile(script, ENDED);
    const ended = execa(process.execPath, [script, JSON.stringify(options)], { reject: false });
    const { exitCode, signal, stderr } = await ended;
    expect({ exitCode, signal, aborted: stderr.includes('terminate called') }).toEqual({
      exitCode: code,
      signal: undefined,
      aborted: false,
    });
  });

  test('uses a model that was added later', { timeout: 120_000 }, async () => {
    const folder = join(cacheDir, 'later');
    const rescorer = createRescorer(folder, cacheDir);
    await expect(rescorer.similarities('draw a shape', CHUNKS)).rejects.toThrow('There is no embedding model');
    await symlink(config.folder, folder);
    expect(await rescorer.similarities('draw a shape', CHUNKS)).toHaveLength(CHUNKS.length);
    await rescorer.close();
  });

  test(
    'has the same results with an unusable cache, warns once, and caches vectors as soon as possible',
    { timeout: 120_000 },
    async () => {
      const own = join(cacheDir, 'own');
      const file = join(own, ANALYSIS_CACHE);
      const warnings: string[] = [];
      const listen = ({ message }: Error): void => void warnings.push(message);
      process.on('warning', listen);
      onTestFinished(() => void process.off('warning', listen));
      const usable = createRescorer(config.folder, cacheDir);
      const expected = (await usable.similarities('draw a shape', CHUNKS)).map(
        (value) => expect.closeTo(value, 4) as number,
      );
      await usable.close();

      await mkdir(file, { recursive: true });
      const rescorer = createRescorer(config.folder, own);
      expect(await rescorer.similarities('draw a shape', CHUNKS)).toEqual(expected);
      expect(await rescorer.similarities('draw a shape', CHUNKS)).toEqual(expected);
      expect(warnings).toEqual([expect.stringMatching(/slower.*analysis-1\.sqlite cannot be used/)]);
      await rmdir(file);
      expect(await rescorer.similarities('draw a shape', CHUNKS)).toEqual(expected);
      await rescorer.close();
      const kept = new DatabaseSync(file);
      expect(kept.prepare('SELECT count(*) AS number FROM vectors').get()).toEqual({ number: CHUNKS.length });
      kept.close();
    },
  );
});

test('the compared text has each word once, those of the path first', () => {
  const text = 'if (isReady) { return readFile(readFile); }';
  expect(rescoringText({ path: 'a/b/c/disk_io.ts', symbols: ['readFile'], text })).toBe(
    'disk io ts read File if is Ready return',
  );
});
