import { describe, expect, inject, onTestFinished, vi } from 'vitest';
import { createBuildActivities } from '../../../activities/catalog/builds.ts';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { openTools } from '../../../activities/catalog/tools.ts';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { type FlowsFixture, objectIdsOf, sourceOf, test } from '../../support/catalog/flows.ts';
import { openSharedAnalyzer } from '../../support/catalog/shared-analyzer.ts';
import { mockActivity } from '../../support/mock-activity.ts';

/** The flows that change builds share one workflow id: no other file may start one. */
describe('builds of the index', () => {
  async function onboard({ client, estate }: FlowsFixture): Promise<string[]> {
    const names = ['acme/api', 'acme/web'];
    await estate.create('acme/api', {
      'src/search.ts': sourceOf('activities/index/search.ts'),
      'README.md': '# the api',
    });
    await estate.create('acme/web', { 'src/pattern.ts': sourceOf('domain/git/pattern.ts') });
    const handle = await startFlow(client, 'onboardRepositories', { patterns: ['*/*'] });
    expect(await handle.result()).toMatchObject({ matched: 2, succeeded: 2 });
    return names.map((name) => `local/${name}`);
  }

  const queries = [
    { query: 'fused words and meaning', expect: ['src/search.ts'] },
    { query: 'match a repository id with wildcards', repo: 'acme/web', expect: ['local/acme/web:src/pattern.ts'] },
  ];

  test('a build with another model is made, compared, switched to, and rolled back', async ({ flows }) => {
    const { client, tools, estate } = flows;
    const ids = await onboard(flows);
    const first = await tools.builds.live();
    const before = await objectIdsOf(tools, ids[0] ?? '');

    const handle = await startFlow(client, 'reembedIndex', { model: 'onnx', queries });
    // a person is asked, and until then every search goes to the old build
    for (;;) {
      const { stage } = await handle.query<FlowProgress>('progress');
      if (stage === 'waiting for confirmation') break;
      expect((await tools.builds.live())?.digest).toBe(first?.digest);
      const answer = await (await tools.live())?.search({ query: 'fused words and meaning' });
      expect(answer?.results[0]).toMatchObject({ path: 'src/search.ts' });
    }
    const asked = await handle.query<FlowProgress>('progress');
    expect(asked).toMatchObject({ done: 2, total: 2, unit: 'repositories' });
    expect(asked.asks).toEqual({
      question: 'Switch to the new build?',
      lines: [
        'repositories: 2, 0 failed',
        'queries (judged): 2 (2)',
        'NDCG@10 before / after: 1.000 / 1.000',
        'same files among the first ten: 100 %',
      ],
    });
    await handle.executeUpdate('confirm', { args: [{ proceed: true, by: 'a test' }] });
    const result = await handle.result();
    expect(result).toMatchObject({ switched: true, from: first?.digest });

    const second = await tools.builds.live();
    expect(second).toMatchObject({ digest: result.to, settings: { model: { type: 'onnx' } } });
    const searched = await (await tools.live())?.search({ query: 'match a repository id with wildcards' });
    expect(searched?.results[0]).toMatchObject({ repo: 'local/acme/web' });

    // syncs write to the new build; the old one stays unchanged for a rollback
    await estate.commit('acme/api', { 'src/more.ts': 'export const more = 1;\n' });
    expect(await (await startFlow(client, 'syncRepositories', { all: true })).result()).toMatchObject({ succeeded: 1 });
    expect(await objectIdsOf(tools, ids[0] ?? '')).toEqual(before);

    // a repository that was added, and one that was removed, after the switch
    await estate.create('acme/late', { 'late.ts': 'export const late = 1;\n' });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/late'] })).result();
    await (await startFlow(client, 'removeRepositories', { patterns: ['acme/web'] })).result();
    expect(await (await startFlow(client, 'switchIndex', { to: 'previous' })).result()).toMatchObject({
      from: second?.digest,
      to: first?.digest,
      carried: 1,
      removed: 0,
    });
    expect(await (await startFlow(client, 'syncRepositories', { all: true })).result()).toMatchObject({ succeeded: 2 });
    const receipts = await tools.store.receipts();
    expect(receipts.map(({ repository }) => repository)).toEqual(['local/acme/api', 'local/acme/late']);
    expect(receipts.every(({ digest, pending }) => digest === first?.digest && pending === null)).toBe(true);

    // and unused builds can be deleted
    expect(await (await startFlow(client, 'pruneIndex', { previous: true })).result()).toEqual({
      dropped: [second?.digest],
    });
    expect(await tools.builds.list()).toHaveLength(1);
  });

  test('only a person can switch to a build that lost expected results', async ({ flows }) => {
    const { client, tools, estate } = flows;
    await onboard(flows);
    const live = await tools.builds.live();
    // the new build is made at HEAD, which lacks the expected file
    await estate.commit('acme/api', { 'src/search.ts': null });
    const worse = await startFlow(client, 'reembedIndex', { model: 'onnx', queries, yes: true });
    await expect(worse.result()).rejects.toMatchObject({
      cause: { type: 'BuildIsWorse', message: expect.stringContaining('from 1.000 to 0.500') as string },
    });
    expect((await tools.builds.live())?.digest).toBe(live?.digest);
    const [, other] = await tools.builds.list();
    expect(other).toMatchObject({ role: 'beside', settings: { model: { type: 'onnx' } } });

    await expect((await startFlow(client, 'switchIndex', { to: '0000000000000000' })).result()).rejects.toMatchObject({
      cause: { cause: { type: 'InvalidInput', message: expect.stringContaining('There is no build 0000') as string } },
    });
    expect(await (await startFlow(client, 'pruneIndex', {})).result()).toEqual({ dropped: [other?.digest] });
    await expect(tools.builds.drop(live?.digest ?? '')).rejects.toMatchObject({ type: 'InvalidInput' });
  });

  test('a repository that is indexed while another build becomes live is in that one too', async ({
    flows: { tools, estate },
  }) => {
    await estate.create('acme/late', { 'late.ts': 'export const late = 1;\n' });
    const repository = 'local/acme/late';
    const other = await tools.begin('onnx');
    const first = await tools.builds.live();
    // the switch happens in the middle: after the build was chosen, before the repository is written
    const { indexRepository } = createCatalogActivities({
      ...tools,
      async index(build) {
        const index = await tools.index(build);
        const diff: typeof index.mgit.diff = async (...question) => {
          await tools.builds.switchTo(other);
          return index.mgit.diff(...question);
        };
        return { ...index, mgit: { ...index.mgit, diff } };
      },
    });
    const outcome = await mockActivity().run(indexRepository, { repository });
    expect(outcome).toMatchObject({ objects: 1, objectsWritten: 2 });
    for (const digest of [first?.digest ?? '', other]) {
      expect(await tools.builds.store(digest).readReceipt(repository)).toMatchObject({ objects: 1, pending: null });
    }
    await tools.builds.switchTo(first?.digest ?? '');
    await tools.builds.drop(other);
  });

  test('a repository that was removed while it waited for its sync stays removed', async ({
    flows: { tools, estate },
  }) => {
    await estate.create('acme/gone', { 'gone.ts': 'export const gone = 1;\n' });
    const repository = { id: 'local/acme/gone', cloneUrl: estate.gitDir('acme/gone') };
    const { indexRepository } = createCatalogActivities(tools);
    const asked = { repository, onlyIndexed: true };
    expect(await mockActivity().run(indexRepository, asked)).toMatchObject({ objectsWritten: 0 });
    expect(await tools.store.receipts()).toEqual([]);
  });

  test('a partial build is deleted with the unused builds', async ({ flows: { client, tools, estate } }) => {
    const left = await connectWeaviate(inject('stack').weaviate);
    await left.collections.create({ name: `${estate.indexName}Receipt_0123456789abcdef` });
    try {
      expect(await (await startFlow(client, 'pruneIndex', {})).result()).toEqual({ dropped: ['0123456789abcdef'] });
      expect(await tools.builds.list()).toHaveLength(1);
      expect(await tools.store.receipts()).toEqual([]);
    } finally {
      await left.close();
    }
  });

  test('the model of a deleted build is closed in every process that opened it', async ({
    flows: { tools, estate },
  }) => {
    const log: string[] = [];
    const { weaviate, modelFolder, cacheDir } = inject('stack');
    const env = { ...process.env, LONGHAUL_CACHE_DIR: cacheDir, LONGHAUL_DATA_DIR: estate.dataDir };
    const loaded = loadConfig({ path: estate.configPath, env });
    const other = await openTools(loaded, { weaviate, modelFolder }, env, {
      openAnalyzer: async (...asked) => {
        const analyzer = await openSharedAnalyzer(...asked);
        const name = asked[3]?.model?.type ?? '';
        log.push(`open ${name}`);
        return { ...analyzer, close: () => Promise.resolve(void log.push(`close ${name}`)) };
      },
    });
    onTestFinished(() => other.close());
    onTestFinished(() => void vi.useRealTimers());
    const build = await tools.begin('onnx');
    await other.index();
    const using = await other.index(build);
    expect(log).toEqual(['open static', 'open onnx']);
    await other.live();
    expect(log).toHaveLength(2);

    // another process deletes the build; this one notices it at its next check
    await tools.builds.drop(build);
    await other.live();
    expect(log).toHaveLength(2);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    await other.live();
    expect(log.slice(2)).toEqual(['close onnx']);
    vi.useRealTimers();
    // a call that still has the build opens the model again
    expect(await using.analyzer.embedQuery('one')).toHaveLength(384);
    expect(log.slice(3)).toEqual(['open onnx']);

    // this process deletes a build
    await tools.begin('onnx');
    const { pruneBuilds } = createBuildActivities(other);
    expect(await mockActivity().run(pruneBuilds, { previous: false })).toEqual({ dropped: [build] });
    expect(log.slice(4)).toEqual(['close onnx']);
  });

  test('re-embedding with the live model changes nothing', async ({ flows }) => {
    const { client } = flows;
    await onboard(flows);
    const result = await (await startFlow(client, 'reembedIndex', { yes: true })).result();
    expect(result).toMatchObject({ switched: false, objectsWritten: 0 });
    expect(result.from).toBe(result.to);
    await expect(startFlow(client, 'reembedIndex', { model: '' })).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});
