import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANALYSIS_CACHE, createAnalyzer } from '../../../activities/index/analysis/analyzer.ts';
import type { Analyzer, AnalyzerOptions, FaultyFile, SourceFile } from '../../../activities/index/analysis/analyzer.ts';
import { realFiles } from './real-files.ts';
import { cosine, FIRST_RUN_MS, realModel } from './real-model.ts';

const source = (path: string, text: string): SourceFile => ({ path, content: Buffer.from(text) });

let folder: string;
let options: AnalyzerOptions;
let analyzer: Analyzer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-analyzer-'));
  options = { model: await realModel('static'), cacheDir: folder, threads: { max: 2 } };
  analyzer = await createAnalyzer(options);
}, FIRST_RUN_MS);
afterAll(async () => {
  await analyzer.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the analyzer', () => {
  test('makes the chunks of a file', async () => {
    const text = '/** Reads. */\nexport function readUserName(id: string) {\n  return fetchRow(id);\n}\n';
    const { files } = await analyzer.analyze([source('src/userStore.ts', text)]);
    expect(files).toHaveLength(1);
    expect(files[0]).toMatchObject({
      language: 'TypeScript',
      pathStems: 'src user store userstor ts',
      chunks: [
        {
          startLine: 1,
          endLine: 4,
          text,
          symbols: ['readUserName'],
          scope: [],
          stems: 'read export function read user name readusernam id string return fetch row fetchrow id',
          scopeStems: 'read user name readusernam',
        },
      ],
    });
    const [only] = files[0]?.chunks ?? [];
    expect(only?.vector).toHaveLength(analyzer.dimensions);
    const near = await analyzer.embedQuery('read the name of a user');
    const far = await analyzer.embedQuery('paint a triangle');
    expect(cosine(only?.vector, near)).toBeGreaterThan(cosine(only?.vector, far) + 0.2);
  });

  test('embeds a text once: not again under another path, on another day, or twice in one batch', async () => {
    const text = `export const lookupTable${Date.now()} = 1;\n`;
    const first = await analyzer.analyze([source('a.ts', text), source('b.ts', text)]);
    expect(first).toMatchObject({ embedded: 1, reused: 1 });
    const moved = await analyzer.analyze([source('other/folder/c.ts', text)]);
    expect(moved).toMatchObject({ embedded: 0, reused: 1 });
    expect(moved.files[0]?.chunks).toEqual(first.files[0]?.chunks);
    const later = await createAnalyzer(options);
    expect(await later.analyze([source('a.ts', text)])).toMatchObject({ embedded: 0, reused: 1 });
    await later.close();
  });

  test(
    'has the same result for many files, regardless of threads, order and batches',
    { timeout: 120_000 },
    async () => {
      const files = realFiles({ most: 120 });
      const together = await analyzer.analyze(files);
      const other = await createAnalyzer({ ...options, cacheDir: join(folder, 'other'), threads: { max: 1 } });
      const reversed = await other.analyze(files.toReversed());
      expect(reversed.files.toReversed()).toEqual(together.files);
      expect(other.digest).toBe(analyzer.digest);
      expect(await other.countChunks(files)).toEqual(together.files.map(({ chunks }) => chunks.length));
      await other.close();
      expect(together.embedded + together.reused).toBe(
        together.files.reduce((sum, { chunks }) => sum + chunks.length, 0),
      );
    },
  );

  test('accepts any bytes', async () => {
    const { files } = await analyzer.analyze([
      source('empty.ts', ''),
      source('blank.ts', '\n \t\r\n'),
      { path: 'bom.ts', content: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('let a = 1;\n')]) },
      { path: 'latin.c', content: Buffer.from('/* Stra\xdfe */\nint f(void);\n', 'latin1') },
      { path: 'nul.js', content: Buffer.from('let a = "\0";\nfunction f() {}\n') },
      source('crlf.py', 'def f():\r\n  return 1\r\n'),
      source('no-newline.go', 'package p\nfunc F() {}'),
    ]);
    const chunksOf = (i: number) => files[i]?.chunks ?? [];
    expect(chunksOf(0)).toEqual([]);
    expect(chunksOf(1)).toEqual([]);
    expect(chunksOf(2)[0]?.text).toBe('let a = 1;\n');
    expect(chunksOf(3)[0]).toMatchObject({ text: '/* Straße */\nint f(void);\n', declares: ['f'], endLine: 2 });
    expect(chunksOf(4)[0]).toMatchObject({ symbols: ['f'], endLine: 2 });
    expect(chunksOf(5)[0]).toMatchObject({ symbols: ['f'], startLine: 1, endLine: 2 });
    expect(chunksOf(6)[0]).toMatchObject({ symbols: ['F'], endLine: 2 });
  });

  test('reads a file as a person would: other encodings, notebooks, declared languages, no encoded data', async () => {
    const notebook = {
      metadata: { kernelspec: { language: 'python' } },
      cells: [
        { cell_type: 'markdown', source: 'Counts orders.' },
        { cell_type: 'code', source: 'def count_orders():\n  return 1\n', outputs: [{ text: 'unwanted output' }] },
      ],
    };
    const { files } = await analyzer.analyze([
      { path: 'wide.cs', content: Buffer.from('\uFEFFclass Wide { void Run() {} }\r\n', 'utf16le') },
      source('a.ipynb', JSON.stringify(notebook)),
      { ...source('b.inc', 'class Declared\nend\n'), language: 'ruby' },
      { ...source('b.py', 'def undeclared(): pass\n'), language: 'no such language' },
      source(
        'icon.ts',
        `export const icon =\n  'data:image/png;base64,${'iVBORw0KGgo'.repeat(4_000)}';\nexport const next = 1;\n`,
      ),
      source('zh.md', '处理用户登录请求\n'),
    ]);
    expect(files[0]).toMatchObject({ language: 'C#', chunks: [{ symbols: ['Wide', 'Run'] }] });
    expect(files[1]).toMatchObject({
      language: 'Jupyter Notebook',
      chunks: [{ startLine: 1, symbols: ['count_orders'] }],
    });
    expect(files[1]?.chunks[0]?.text).toBe(
      '# %% [markdown]\n# Counts orders.\n\n# %%\ndef count_orders():\n  return 1\n',
    );
    expect(files[2]).toMatchObject({ language: 'Ruby', chunks: [{ symbols: ['Declared'] }] });
    expect(files[3]).toMatchObject({ language: 'Python', chunks: [{ symbols: ['undeclared'] }] });
    expect(files[4]?.chunks).toMatchObject([{ symbols: ['icon', 'next'], startLine: 1, endLine: 3 }]);
    expect(files[4]?.chunks[0]?.text).toContain("'data:image/png;base64,…';");
    expect(files[5]?.chunks[0]?.stems).toBe('处理 用户 登录 请求');
  });

  test('a file that makes its grammar abort costs only its own syntax, and is reported once', async () => {
    const faults: FaultyFile[] = [];
    const other = await createAnalyzer({
      ...options,
      cacheDir: join(folder, 'faults'),
      threads: { min: 1, max: 1 },
      onFault: (file) => faults.push(file),
    });
    const ruby = source('ledger.rb', 'class Ledger\n  def balance(year)\n    year\n  end\nend\n');
    const bad = source('report.rb', `class Report\n  def add(sql)\n    sql <<"${'x '.repeat(150)}"\n  end\nend\n`);
    const alone = await other.analyze([ruby]);
    for (let times = 0; times < 2; times++) {
      const { files } = await other.analyze([ruby, bad, ruby, source('a.py', 'def f(): pass\n')], {
        repository: 'work/acme/api',
      });
      expect([files[0], files[2]]).toEqual([alone.files[0], alone.files[0]]);
      expect(files[1]).toMatchObject({ language: 'Ruby', chunks: [{ startLine: 1, endLine: 5, symbols: [] }] });
      expect(files[3]?.chunks[0]?.symbols).toEqual(['f']);
    }
    expect(await other.countChunks([bad, ruby])).toEqual([1, 1]);
    expect(faults.filter(({ repository }) => repository !== '')).toEqual([
      {
        repository: 'work/acme/api',
        path: 'report.rb',
        reason: expect.stringMatching(/^the grammar of Ruby failed: ./) as string,
      },
    ]);
    await other.close();
  });

  test('a file that does not end costs a thread and its syntax, and no other file', { timeout: 120_000 }, async () => {
    const faults: FaultyFile[] = [];
    const other = await createAnalyzer({
      ...options,
      cacheDir: join(folder, 'slow'),
      threads: { min: 1, max: 1, fileTimeoutMs: 2_000 },
      onFault: (file) => faults.push(file),
    });
    const slow = source('slow.scala', 'a[('.repeat(100_000));
    const { files } = await other.analyze([source('a.py', 'def f(): pass\n'), slow, source('b.py', 'def g(): pass\n')]);
    expect(files.map(({ chunks }) => chunks[0]?.symbols)).toEqual([['f'], [], ['g']]);
    expect(faults).toEqual([{ repository: '', path: 'slow.scala', reason: 'it took longer than 2000 ms' }]);
    await other.close();
  });

  test('remembers counts', async () => {
    expect(analyzer.counts.get({ blob: 'f00', name: 'a.ts' })).toBeUndefined();
    analyzer.counts.put([{ blob: 'f00', name: 'a.ts', chunks: 7 }]);
    expect(analyzer.counts.get({ blob: 'f00', name: 'a.ts' })).toBe(7);
  });

  test('stops immediately on an abort, and continues to work', { timeout: 120_000 }, async () => {
    const files = realFiles({ most: 400 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const work = analyzer.analyze(files, { signal: controller.signal });
    controller.abort(reason);
    await expect(work).rejects.toBe(reason);
    await expect(analyzer.analyze(files, { signal: controller.signal })).rejects.toBe(reason);
    expect((await analyzer.analyze([source('a.ts', 'let after = 1;\n')])).files[0]?.chunks).toHaveLength(1);
  });

  test(
    'reports an unusable cache, and continues in the same thread when it is usable again',
    { timeout: 120_000 },
    async () => {
      const cacheDir = join(folder, 'unusable');
      const other = await createAnalyzer({ ...options, cacheDir, threads: { min: 1, max: 1 } });
      const file = join(cacheDir, ANALYSIS_CACHE);
      await mkdir(file, { recursive: true });
      for (let tries = 0; tries < 2; tries++) {
        await expect(other.analyze([source('a.ts', 'let a = 1;\n')])).rejects.toMatchObject({ type: 'DiskFailed' });
        expect(() => other.counts.get({ blob: 'f00', name: 'a.ts' })).toThrow(
          expect.objectContaining({ type: 'DiskFailed' }),
        );
      }
      await rmdir(file);
      expect(await other.analyze([source('a.ts', 'let a = 1;\n')])).toMatchObject({ embedded: 1 });
      expect(other.counts.get({ blob: 'f00', name: 'a.ts' })).toBeUndefined();
      await other.close();
    },
  );

  test('rejects work in progress when it is closed, and lets the process exit', { timeout: 120_000 }, async () => {
    const other = await createAnalyzer({ ...options, cacheDir: join(folder, 'closed') });
    const work = other.analyze(realFiles({ most: 400 }));
    await new Promise(setImmediate);
    await Promise.all([expect(work).rejects.toThrow('the analyzer was closed'), other.close()]);
    await expect(other.analyze([])).rejects.toThrow('the analyzer was closed');
  });

  test('works with the transformer itself', { timeout: 120_000 }, async () => {
    const onnx = await createAnalyzer({
      ...options,
      model: await realModel('onnx'),
      cacheDir: join(folder, 'onnx'),
    });
    const { files, embedded } = await onnx.analyze([
      source('a.py', 'def read_file(path):\n    return open(path).read()\n'),
    ]);
    expect(embedded).toBe(1);
    const vector = files[0]?.chunks[0]?.vector;
    expect(vector).toHaveLength(384);
    const [near, far] = [await onnx.embedQuery('read a file'), await onnx.embedQuery('paint a triangle')];
    expect(cosine(vector, near)).toBeGreaterThan(cosine(vector, far) + 0.2);
    expect(onnx.digest).not.toBe(analyzer.digest);
    await onnx.close();
  });

  test('the version in its digest matches its chunks', async () => {
    // another digest here means that existing objects would get other contents under the same ids: raise
    // ANALYSIS_VERSION
    const { files } = await analyzer.analyze(FIXED);
    const kept = JSON.stringify(files, (key, value: unknown) => (key === 'vector' ? undefined : value));
    expect(createHash('sha256').update(kept).digest('hex').slice(0, 16)).toMatchInlineSnapshot(`"641e21f25a261191"`);
  });
});

const lines = (n: number, of: (i: number) => string): string => Array.from({ length: n }, (_, i) => of(i)).join('\n');
const FIXED: SourceFile[] = [
  source('Session.swift', 'public final class Session {\n    open func request(_ url: URL) -> Request {}\n}\n'),
  source(
    'src/HTTPServer.ts',
    `export class HTTPServer {\n${lines(90, (i) => `  /** Step ${i}. */\n  handleRequest${i}(req: Request): void {\n    this.log('${i}', req);\n  }`)}\n}\n`,
  ),
  source(
    'lib/read_all.py',
    `import os\n\nclass Reader:\n    def read_all(self):\n${lines(120, (i) => `        total_${i} = os.stat('file ${i}').st_size`)}\n`,
  ),
  source(
    'a.h',
    `#pragma once\nnamespace n {\n${lines(60, (i) => `int compute_${i}(const char* text, int length) { return length + ${i}; }`)}\n}\n`,
  ),
  source(
    'README.md',
    lines(80, (i) => `## Part ${i}\n\nSome words about how the parts are connected with each other.\n`),
  ),
  source('data.json', `{"a": "${'x'.repeat(4_000)}"}`),
];
