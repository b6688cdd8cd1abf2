import { appendFile, rename } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { readIndexedFile } from '../../../activities/index/analysis/indexed-file.ts';
import { NO_OBJECTS, xorIds } from '../../../domain/catalog/index/receipt.ts';
import { commandEnv, longhaul } from '../../support/command.ts';
import { dumpIndex, faultsOf } from '../../support/catalog/index-dump.ts';
import { commitTree, git } from '../../support/scratch-git.ts';
import {
  API,
  RELEASE,
  DEVELOP,
  GROUP,
  NEW,
  OLD,
  CHANGED,
  DEVELOPED,
  test,
  makeRepository,
  tree,
  runGroup,
  syncAll,
  verify,
  expectAsNew,
  refsIn,
  countByRefs,
} from '../../support/catalog/branches.ts';

describe('branches of a group', () => {
  test('are indexed in addition to HEAD, with one object and all its refs for shared content', async ({
    flows,
    raw,
    fromScratch,
  }) => {
    const { tools, client } = flows;
    const path = await makeRepository(flows);
    // the namespace also has the runs of earlier test files of this process
    const mine = `WorkflowId = 'sync/${API}' AND StartTime >= '${new Date().toISOString()}'`;
    expect(await runGroup(flows)).toMatchObject({ matched: 1, succeeded: 1, failed: 0 });
    const dump = await expectAsNew({ flows, raw, fromScratch }, path, GROUP.branches);
    expect(refsIn(dump)).toEqual(['HEAD', DEVELOP, RELEASE]);
    const [head, develop, release] = dump.receipts;
    expect(head).toMatchObject({
      commit: git(path, 'rev-parse', 'main'),
      branch: 'main',
      branches: [DEVELOP, RELEASE],
    });
    expect(develop).toMatchObject({ commit: git(path, 'rev-parse', 'develop'), branch: 'develop' });
    expect(release).toMatchObject({ commit: git(path, 'rev-parse', 'release/9'), branch: 'release/9' });

    // shared content exists once, and each ref has all of its own
    const counts = countByRefs(dump);
    expect(counts[`HEAD ${DEVELOP}`]).toBeGreaterThan(50);
    const sum = (ref: string): number =>
      Object.entries(counts).reduce((total, [refs, count]) => total + (refs.split(' ').includes(ref) ? count : 0), 0);
    expect(dump.receipts.map(({ objects }) => objects)).toEqual(['HEAD', DEVELOP, RELEASE].map(sum));
    expect(Object.values(counts).reduce((total, count) => total + count, 0)).toBe(await tools.store.count(API));
    for (const { ref, xor, files: paths } of dump.receipts) {
      const own = Object.keys(dump.refs).filter((id) => dump.refs[id]?.includes(ref));
      expect(own.reduce(xorIds, NO_OBJECTS)).toBe(xor);
      const held = new Set(own.map((id) => dump.objects[id]?.split(' ')[1]));
      expect(held.size).toBe(paths);
    }
    const changed = Object.entries(dump.objects).filter(([, text]) => text.split(' ')[1] === CHANGED);
    expect(changed.length).toBeGreaterThan(1);

    // nothing to do: nothing is written, no child is started
    const before = await raw.chunks();
    const receipts = await raw.receipts();
    const syncs = async (): Promise<number> => (await client.workflow.count(mine)).count;
    await expect.poll(syncs).toBe(1);
    expect(await runGroup(flows)).toMatchObject({ matched: 1, succeeded: 0, skipped: 1, failed: 0 });
    expect(await syncAll(flows)).toMatchObject({ matched: 1, succeeded: 0, skipped: 1 });
    expect(await raw.chunks()).toEqual(before);
    expect(await raw.receipts()).toEqual(receipts);
    expect(await syncs()).toBe(1);
    expect(await verify(flows)).toMatchObject({ matched: 1, succeeded: 1, failed: 0, verification: { differing: 0 } });
    expect(await verify(flows, {})).toMatchObject({ matched: 1, succeeded: 0, skipped: 1, failed: 0 });
  });

  test('an identical branch embeds nothing, and writes no object twice', async ({ flows, raw }) => {
    const path = await makeRepository(flows);
    expect(await runGroup(flows, [])).toMatchObject({ succeeded: 1 });
    const alone = await raw.chunks();
    expect(alone.every(({ properties }) => (properties['refs'] as string[]).join() === 'HEAD')).toBe(true);
    git(path, 'branch', 'same', 'main');
    expect(await runGroup(flows, ['same'])).toMatchObject({ succeeded: 1, embedded: 0, objectsDeleted: 0 });
    const both = await raw.chunks();
    expect(both.map(({ id }) => id)).toEqual(alone.map(({ id }) => id));
    expect(new Set(both.map(({ properties }) => (properties['refs'] as string[]).join(' ')))).toEqual(
      new Set(['HEAD refs/heads/same']),
    );
  });

  test('follow a push, and a branch that is deleted', async ({ flows, raw, fromScratch }) => {
    const path = await makeRepository(flows);
    await runGroup(flows);
    commitTree(path, tree({ ...OLD, 'lib/new.js': NEW['lib/help.js'] ?? '' }), { branch: 'release/9' });
    git(path, 'branch', '-D', 'develop');
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, failed: 0, embedded: 0 });
    await expectAsNew({ flows, raw, fromScratch }, path, ['release/9']);
    expect(await syncAll(flows)).toMatchObject({ skipped: 1, succeeded: 0, failed: 0 });
  });

  test('too many branches are an explicit failure, and HEAD is still synced', async ({ flows }) => {
    const { tools, estate } = flows;
    const path = await makeRepository(flows);
    for (let at = 0; at < 51; at++) git(path, 'branch', `feature/${at}`);
    const result = await runGroup(flows, ['feature/*']);
    expect(result).toMatchObject({ failed: 1, failures: [{ type: 'InvalidInput', repository: API }] });
    expect(result.failures[0]?.error).toContain('has 51 branches that match feature/*, and at most 50 are indexed');
    expect((await tools.store.receipts()).map(({ ref }) => ref)).toEqual(['HEAD']);
    const commit = await estate.commit('acme/api', { 'a.ts': 'export const one = 1;\n' });
    expect(await runGroup(flows, ['feature/*'])).toMatchObject({ failed: 1 });
    expect(await tools.store.readReceipt(API)).toMatchObject({ commit, pending: null });
  });

  test('hostile names are not branches', async ({ flows }) => {
    const { tools } = flows;
    const path = await makeRepository(flows);
    // git itself would not create them
    const commit = git(path, 'rev-parse', 'main');
    const names = ['--upload-pack=touch x', 'a..b', '../../escaped', 'x.lock', 'ok/../../x'];
    const lines = names.map((name) => `${commit} refs/heads/${name}\n`).join('');
    git(path, 'pack-refs', '--all');
    await appendFile(`${path}/packed-refs`, lines);
    expect(await runGroup(flows, ['*'])).toMatchObject({ succeeded: 1, failed: 0 });
    expect((await tools.store.receipts()).map(({ ref }) => ref)).toEqual(['HEAD', DEVELOP, RELEASE]);
  });
});

describe('a search', () => {
  test('covers only HEAD, unless a branch is requested', async ({ flows, raw }) => {
    const { tools } = flows;
    const path = await makeRepository(flows);
    await runGroup(flows);
    const found = async (branch?: string) =>
      (await tools.search({ query: 'farthestOf words', limit: 50, ...(branch === undefined ? {} : { branch }) }))
        .results;
    const fits = (results: Awaited<ReturnType<typeof found>>): boolean =>
      results.some(({ snippet }) => snippet.includes('farthestOf'));
    expect(fits(await found())).toBe(false);
    expect(fits(await found('main'))).toBe(false);
    const developed = await found('develop');
    expect(fits(developed)).toBe(true);
    expect(new Set(developed.map(({ commit }) => commit))).toEqual(new Set([git(path, 'rev-parse', 'develop')]));
    const released = await found('release/9');
    expect(new Set(released.map(({ commit }) => commit))).toEqual(new Set([git(path, 'rev-parse', 'release/9')]));
    expect(new Set((await found()).map(({ commit }) => commit))).toEqual(new Set([git(path, 'rev-parse', 'main')]));
    for (const [results, contents] of [
      [await found('main'), NEW],
      [released, OLD],
    ] as const) {
      expect(results.length).toBeGreaterThan(3);
      for (const { path: at, snippet } of results) expect(contents[at]?.replaceAll('\r\n', '\n')).toContain(snippet);
    }
    await expect(found('nobody')).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('No repository is indexed at a branch "nobody"') as string,
    });
    const { chunks } = tools.store.names;
    const read = (ref: string): Promise<string | null> =>
      readIndexedFile(raw.client, chunks, {
        repository: API,
        path: CHANGED,
        of: { ref, refs: ['HEAD', DEVELOP, RELEASE] },
      });
    expect(await read('HEAD')).toBe(NEW[CHANGED]);
    expect(await read(DEVELOP)).toBe(DEVELOPED[CHANGED]);
    expect(await read(RELEASE)).toBe(OLD[CHANGED]);
  });
});

describe('a removal', () => {
  test('of a branch keeps HEAD and the others; of the repository removes everything', async ({ flows, raw }) => {
    const { tools, estate } = flows;
    const path = await makeRepository(flows);
    await estate.create('acme/web', { 'a.ts': 'export const one = 1;\n' });
    await runGroup(flows);
    const env = commandEnv(estate);
    const run = async (...args: string[]) => JSON.parse((await longhaul(env, [...args, '--json'])).stdout) as unknown;
    const list = (await run('index', 'list')) as { repository: string; ref: string }[];
    expect(list.map(({ repository, ref }) => `${repository} ${ref}`)).toEqual([
      `${API} HEAD`,
      `${API} ${DEVELOP}`,
      `${API} ${RELEASE}`,
      'local/acme/web HEAD',
    ]);
    expect(await run('index', 'builds')).toMatchObject([{ repositories: 2, objects: (await raw.chunks()).length }]);
    const remove = ['index', 'remove', '--pattern', 'acme/*', '--branch', 'develop'];
    expect(await run(...remove, '--dry-run')).toMatchObject({ work: [{ id: API }] });
    expect(await run(...remove)).toMatchObject({ matched: 1, succeeded: 1, failed: 0 });
    const dump = await dumpIndex(raw.client, tools.store);
    expect(faultsOf(dump)).toEqual([]);
    expect(refsIn(dump)).toEqual(['HEAD', RELEASE, 'HEAD']);
    expect(await syncAll(flows)).toMatchObject({ skipped: 2, succeeded: 0 });
    expect(git(path, 'branch', '--list', 'develop')).not.toBe('');

    expect(await run('index', 'remove', '--pattern', 'acme/api')).toMatchObject({ succeeded: 1, failed: 0 });
    expect((await raw.receipts()).map(({ properties }) => properties['repository'])).toEqual(['local/acme/web']);
    expect(await tools.store.count(API)).toBe(0);
  });
});

describe('a repository that is moved', () => {
  test('keeps its branches', async ({ flows }) => {
    const { tools, estate } = flows;
    const path = await makeRepository(flows);
    await runGroup(flows);
    await rename(path, estate.gitDir('acme/renamed'));
    expect(await syncAll(flows)).toMatchObject({ moved: 1, failed: 0, embedded: 0 });
    const receipts = await tools.store.receipts();
    expect(receipts.map(({ repository, ref }) => `${repository} ${ref}`)).toEqual(
      ['HEAD', DEVELOP, RELEASE].map((ref) => `local/acme/renamed ${ref}`),
    );
  });
});
