import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { search, type SearchAnswer } from '../../../activities/index/search.ts';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { openSearch } from '../../../client/catalog/search.ts';
import type { ReadFileOutput } from '../../../client/mcp/tools.schema.ts';
import { commandEnv, longhaulProcess } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { type EstateTools, openEstate } from '../../support/catalog/flows.ts';
import { memoryIo } from '../../support/memory-io.ts';
import { startMcp } from '../../support/mcp.ts';
import { commitTree, files } from '../../support/scratch-git.ts';
import { recordedModules, recordingModules } from '../../support/recorded-modules.ts';
import { openRelay } from '../../support/stalling-relay.ts';
import { openGateway } from '../../support/weaviate-gateway.ts';
import { mockActivity } from '../../support/mock-activity.ts';

describe('a filter', () => {
  let estate: Estate;
  let tools: EstateTools;
  beforeAll(async () => {
    estate = await createEstate();
    const page = (name: string): string => `export default function ${name}() { return renderProduct(); }\n`;
    await estate.create('web/next', {
      'app/(shop)/[id]/page.tsx': page('ProductPage'),
      'app/[[...slug]]/page.tsx': page('CatchAll'),
      'app/shop/i/page.tsx': page('Decoy'),
      'docs/a guide/!read me.md': '# renderProduct\n',
      '@types/index.d.ts': 'export declare function renderProduct(): string;\n',
      'odd/escape\u001b[31m.ts': page('Escaped'),
    });
    // 1,200 files that match the query better than the two that a filter selects
    const migrations = Object.fromEntries(
      Array.from({ length: 1_200 }, (_file, at) => [
        `gen/m${at}/orders.ts`,
        `export const orders${at} = 'orders table';\n`,
      ]),
    ) as Record<string, string>;
    await estate.create('data/base', {
      ...migrations,
      'gen/m7/x.sql': 'CREATE TABLE payments (id int); -- with the orders\n',
      'gen/m9/deep/y.sql': 'CREATE TABLE refunds (id int); -- with the orders\n',
    });
    tools = await openEstate(estate);
    const { indexRepository } = createCatalogActivities(tools);
    for (const name of ['web/next', 'data/base']) {
      const repository = { id: `local/${name}`, cloneUrl: estate.gitDir(name) };
      await mockActivity().run(indexRepository, { repository });
    }
  });
  afterAll(async () => {
    await tools.close();
    await estate.dispose();
  });

  const found = async (path: string, query = 'renderProduct'): Promise<string[]> =>
    (await tools.search({ query, path, limit: 100, rescore: false })).results.map((result) => result.path).sort();

  test.each([
    ['app/(shop)/**', ['app/(shop)/[id]/page.tsx']],
    ['app/(shop)/[id]/page.tsx', ['app/(shop)/[id]/page.tsx']],
    ['./app/(shop)', ['app/(shop)/[id]/page.tsx']],
    ['app/[[...slug]]/**', ['app/[[...slug]]/page.tsx']],
    [String.raw`app/\(shop\)/\[id\]/**`, ['app/(shop)/[id]/page.tsx']],
    ['app/@(shop|other)/**', ['app/shop/i/page.tsx']],
    ['docs/a guide/!read me.md', ['docs/a guide/!read me.md']],
    ['@types/', ['@types/index.d.ts']],
    ['odd/escape\u001b[31m.ts', ['odd/escape\u001b[31m.ts']],
  ])('%j means the file or folder of that name', async (path, paths) => {
    expect(await found(path)).toEqual(paths);
  });

  test.each([
    ['**/*.sql', ['gen/m7/x.sql', 'gen/m9/deep/y.sql']],
    ['**/?.{sql,ddl}', ['gen/m7/x.sql', 'gen/m9/deep/y.sql']],
    // Weaviate can only narrow this down to all files below gen
    ['gen/*/[!o]*', ['gen/m7/x.sql']],
    ['!**/orders.ts', ['gen/m7/x.sql', 'gen/m9/deep/y.sql']],
  ])('%s finds what is far behind better matches', async (path, paths) => {
    const all = await found(path, 'orders table');
    expect(all.filter((each) => each.startsWith('gen/'))).toEqual(paths);
  });

  test.each([
    [{ path: 'nowhere/**' }, 'No indexed path matches "nowhere/**". Without the filters there are 10 results.'],
    [
      { language: 'SQL', repositories: ['local/web/next'] },
      'Nothing in these repositories is written in SQL. Without the filters there are 6 results.',
    ],
    [
      { language: 'SQL', path: 'app/**' },
      'Nothing that matches "app/**" is written in SQL. Without the filters there are 10 results.',
    ],
    [
      { repositories: ['local/gone/away'] },
      'Nothing is indexed in these repositories: they have no text files, or are being indexed.',
    ],
  ])('an empty answer to %j gives the reason', async (filters, reason) => {
    const { results, reason: given } = await tools.search({
      query: 'orders renderProduct',
      rescore: false,
      ...filters,
    });
    expect({ results, reason: given }).toEqual({ results: [], reason });
  });
});

describe('files as they are read', () => {
  let estate: Estate;
  let tools: EstateTools;
  const id = 'local/acme/odd';
  beforeAll(async () => {
    estate = await createEstate();
    await estate.create('acme/odd', { 'README.md': 'odd files\n' });
    const cells = [
      { cell_type: 'markdown', source: 'Plots the revenue of every quarter.' },
      {
        cell_type: 'code',
        source: 'def plot_revenue(quarters):\n    return chart(quarters)\n',
        outputs: [{ data: { 'image/png': 'iVBORw0KGgo'.repeat(150_000), 'text/plain': 'zebraoutput' } }],
      },
    ];
    const contents = {
      'wide.cs': Buffer.from('\uFEFFclass WideLedger {\r\n  void Book() {}\r\n}\r\n', 'utf16le'),
      'revenue.ipynb': JSON.stringify({ nbformat: 4, metadata: { kernelspec: { language: 'python' } }, cells }),
      'docs/login.md': '# 概要\n\n处理用户登录请求\n',
      'ruby.rb': `class Report\n  def add(sql)\n    sql <<"${'column '.repeat(60)}"\n  end\nend\n`,
      'ledger.rb': 'class Ledger\n  def balance_sheet(year)\n    year\n  end\nend\n',
      '.gitattributes': '*.inc linguist-language=Ruby\n',
      'lib/total.inc': 'class TotalOfYear\nend\n',
      'src/icon.ts': `export const iconOfApp =\n  'data:image/png;base64,${'iVBORw0KGgo'.repeat(5_000)}';\n`,
    };
    commitTree(estate.gitDir('acme/odd'), files(contents));
    tools = await openEstate(estate);
    const repository = { id, cloneUrl: estate.gitDir('acme/odd') };
    await mockActivity().run(createCatalogActivities(tools).indexRepository, { repository });
  });
  afterAll(async () => {
    await tools.close();
    await estate.dispose();
  });

  test.each([
    ['plot_revenue', 'revenue.ipynb', 'Jupyter Notebook'],
    ['WideLedger', 'wide.cs', 'C#'],
    ['用户登录', 'docs/login.md', 'Markdown'],
    ['balance_sheet', 'ledger.rb', 'Ruby'],
    ['TotalOfYear', 'lib/total.inc', 'Ruby'],
    ['iconOfApp', 'src/icon.ts', 'TypeScript'],
  ])('%s is found in %s', async (query, path, language) => {
    const { results } = await tools.search({ query, explain: true });
    expect(results[0]).toMatchObject({ path, language });
    expect(results[0]?.explain?.keyword).toBeGreaterThan(0);
    expect(results[0]?.snippet.length).toBeLessThan(500);
  });

  test('what was shown can be asked for, and outputs of notebooks are not there', async () => {
    const mcp = await startMcp(commandEnv(estate));
    try {
      for (const [query, path] of [
        ['plot_revenue', 'revenue.ipynb'],
        ['WideLedger', 'wide.cs'],
      ] as const) {
        const { results } = await tools.search({ query });
        const [first] = results.filter((result) => result.path === path);
        const asked = { repository: id, path, start_line: first?.startLine, end_line: first?.endLine };
        const { text } = await mcp.ask<ReadFileOutput>('read_file', asked);
        expect(text.replaceAll('\r', '').trim()).toBe(first?.snippet.replaceAll('\r', '').trim());
      }
      const whole = await mcp.call('read_file', { repository: id, path: 'revenue.ipynb' });
      expect(whole.text).toContain('cells of a notebook without outputs');
      expect(whole.text).not.toContain('zebraoutput');
    } finally {
      await mcp.close();
    }
  });

  test('a verification finds no difference', async () => {
    const verified = await mockActivity().run(createCatalogActivities(tools).verifyRepository, {
      repository: id,
      repair: false,
    });
    expect(verified).toMatchObject({ compared: 'everything', differences: {}, isTrue: true });
  });
});

describe('a search', () => {
  let estate: Estate;
  let tools: EstateTools;
  beforeAll(async () => {
    estate = await createEstate();
    await estate.create('acme/api', {
      'src/disk.ts': 'export function readFile(path: string) {\n  return open(path);\n}\n',
      'src/mail.ts': 'export function sendMail(to: string) {\n  return deliver(to);\n}\n',
    });
    tools = await openEstate(estate);
    const repository = { id: 'local/acme/api', cloneUrl: estate.gitDir('acme/api') };
    await mockActivity().run(createCatalogActivities(tools).indexRepository, { repository });
  });
  afterAll(async () => {
    await tools.close();
    await estate.dispose();
  });

  const ask = (query: string): Promise<SearchAnswer> => tools.search({ query, explain: true });

  test.each(['??? !!!', '-> :: {}'])('of punctuation alone uses vectors: %j', async (query) => {
    const { results } = await ask(query);
    expect(results).toHaveLength(2);
    for (const { score, explain } of results) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(explain?.keyword).toBe(0);
    }
  });

  test.each([
    ['a picture', '😀', /no words that can be searched for/],
    ['a control character', '\u0001', /no words that can be searched for/],
    ['what has no width', '\u200b\u0007 \u200b', /no words that can be searched for/],
    ['a word that is none', 'a'.repeat(1_900), /no words that can be searched for/],
    ['space', ' \t\n', /empty/],
    ['a text', 'word '.repeat(401), /2005 characters: give at most 2000/],
  ])('of %s is rejected with an explanation', async (_name, query, said) => {
    const message = expect.stringMatching(said) as string;
    await expect(ask(query)).rejects.toMatchObject({ type: 'InvalidInput', message });
  });

  test.each([-1, 0, 1.5, Number.NaN, 1e9])(
    'for %s results is refused, naming the field and its range',
    async (limit) => {
      await expect(tools.search({ query: 'readFile', limit })).rejects.toMatchObject({
        type: 'InvalidInput',
        message: `limit: ${limit} is not a whole number from 1 to 100.`,
      });
    },
  );

  test('reports the whole wait of the caller, including the request for the live build', async () => {
    const { weaviate, modelFolder, cacheDir } = inject('stack');
    let clock = 1_000_000;
    let asked = 0;
    const gateway = await openGateway(weaviate, {
      onRest: () => {
        asked++;
        clock += 1_000;
      },
    });
    const env = {
      WEAVIATE_URL: gateway.url,
      WEAVIATE_GRPC: gateway.grpc,
      WEAVIATE_API_KEY: weaviate.apiKey ?? '',
      LONGHAUL_MODEL_DIR: modelFolder,
      LONGHAUL_CACHE_DIR: cacheDir,
      LONGHAUL_DATA_DIR: estate.dataDir,
    };
    const { path: configPath, ...loaded } = loadConfig({ path: estate.configPath, env });
    const session = await openSearch({ ...loaded, configPath, ...memoryIo(env) });
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    try {
      for (const query of ['read a file', 'send a mail']) {
        asked = 0;
        const { tookMs, results } = await session.search({ query });
        expect(results).toHaveLength(2);
        expect(asked).toBeGreaterThan(0);
        expect(tookMs).toBe(asked * 1_000);
      }
    } finally {
      now.mockRestore();
      await session.close();
    }
  });

  // the client of Weaviate tries for half a minute
  test('of an unavailable Weaviate is a typed failure', async () => {
    const { weaviate } = inject('stack');
    const relay = await openRelay(weaviate.grpc);
    const client = await connectWeaviate({ ...weaviate, grpc: relay.address });
    const questions = [{ query: 'readFile' }, { query: 'readFile', language: 'ts' }];
    try {
      const answers = await Promise.all(questions.map((question) => search(client, tools, question)));
      for (const { results } of answers) expect(results[0]).toMatchObject({ path: 'src/disk.ts' });
      await relay.close();
      const lost = await Promise.allSettled(questions.map((question) => search(client, tools, question)));
      for (const { status, ...rest } of lost) {
        expect({ status, rest }).toMatchObject({ status: 'rejected', rest: { reason: { type: 'ServerUnavailable' } } });
      }
    } finally {
      await client.close();
    }
  });

  describe('in a process of its own, with a blob store that does not answer', () => {
    let folder: string;
    let modules: string;
    let env: Record<string, string>;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'longhaul-search-'));
      modules = join(folder, 'modules');
      const config = JSON.parse(await readFile(estate.configPath, 'utf8')) as object;
      const blobs = { type: 's3', bucket: 'nothing', endpoint: 'http://127.0.0.1:1', forcePathStyle: true };
      const configPath = join(folder, 'longhaul.yaml');
      await writeFile(configPath, JSON.stringify({ ...config, blobs }));
      const change = { LONGHAUL_CONFIG: configPath, LONGHAUL_DATA_DIR: join(folder, 'data'), PATH: '/nonexistent' };
      env = commandEnv(estate, { ...change, ...recordingModules(modules) });
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    /** The loaded files of the layers that only indexing needs. */
    const loaded = (needless: RegExp): string[] => [...recordedModules(modules)].filter((path) => needless.test(path));

    test('`longhaul search` loads no blob store, planner, spool, mgit and git', async () => {
      const { exitCode, stdout, stderr } = await longhaulProcess(env, ['search', 'readFile', '--json']);
      expect(exitCode, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ results: [{ path: 'src/disk.ts' }, {}] });
      expect(loaded(/^activities\/catalog\/open-index/)).toHaveLength(1);
      expect(loaded(/^@aws-sdk|^activities\/(blobs|mgit|git)\/|\/(planner|stream-spool|tools|ingest)\.ts$/)).toEqual(
        [],
      );
      expect(existsSync(join(folder, 'data'))).toBe(false);
    });

    test('`longhaul index list` does not load a model', async () => {
      const { exitCode, stdout, stderr } = await longhaulProcess(env, ['index', 'list', '--json']);
      expect(exitCode, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([{ repository: 'local/acme/api' }]);
      expect(loaded(/^activities\/index\/store\/builds/)).toHaveLength(1);
      expect(loaded(/^@aws-sdk|^piscina|^activities\/(blobs|mgit|git|index\/models|index\/analysis)\//)).toEqual([]);
    });

    test('the gateway does not load the index', async () => {
      const program = `await import(${JSON.stringify(new URL('../../../client/gateway/server.ts', import.meta.url).href)})`;
      await execa(process.execPath, ['--input-type=module', '-e', program], { env, extendEnv: false });
      expect(loaded(/^client\/gateway\/server/)).toHaveLength(1);
      expect(loaded(/^@aws-sdk|^weaviate-client|^activities\/(blobs|mgit|git|index)\//)).toEqual([]);
    });

    test('`longhaul mcp` loads no blob store, planner and spool', async () => {
      const mcp = await startMcp(env);
      try {
        const answer = await mcp.ask('search_code', { query: 'readFile' });
        expect(answer).toMatchObject({ results: [{ path: 'src/disk.ts' }, {}] });
      } finally {
        await mcp.close();
      }
      expect(loaded(/^activities\/catalog\/open-index/)).toHaveLength(1);
      expect(loaded(/^@aws-sdk|^activities\/blobs\/|\/(planner|stream-spool|tools|ingest)\.ts$/)).toEqual([]);
    });
  });
});
