import { describe, expect } from 'vitest';
import type { IndexStore } from '../../../activities/index/store/store.ts';
import type { OpenTools } from '../../../activities/catalog/tools.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { dumpIndex, faultsOf } from '../../support/catalog/index-dump.ts';
import { commitTree, git } from '../../support/scratch-git.ts';
import {
  RELEASE,
  DEVELOP,
  GROUP,
  NEW,
  OLD,
  DEVELOPED,
  test,
  makeRepository,
  tree,
  runGroup,
  syncAll,
  verify,
  indexed,
  expectAsNew,
  refsIn,
  countByRefs,
} from '../../support/catalog/branches.ts';

describe('branches of a group', () => {
  test('follow pushes, force-pushes, deletions, renames, and a HEAD that switches', async ({
    flows,
    raw,
    fromScratch,
  }) => {
    const path = await makeRepository(flows);
    await runGroup(flows);
    const steps: readonly [string, () => unknown, readonly string[]][] = [
      [
        'a push',
        () => commitTree(path, tree({ ...OLD, 'lib/new.js': NEW['lib/help.js'] ?? '' }), { branch: 'release/9' }),
        ['develop', 'release/9'],
      ],
      [
        'a forced push',
        () => git(path, 'update-ref', DEVELOP, git(path, 'rev-parse', 'release/9~1')),
        ['develop', 'release/9'],
      ],
      ['a branch that is deleted', () => git(path, 'branch', '-D', 'develop'), ['release/9']],
      ['a branch of HEAD alone', () => commitTree(path, tree(DEVELOPED)), ['release/9']],
      [
        'another history',
        () => commitTree(path, tree(DEVELOPED), { branch: 'release/9', orphan: true }),
        ['release/9'],
      ],
      ['HEAD on what was a branch', () => git(path, 'symbolic-ref', 'HEAD', RELEASE), []],
    ];
    for (const [what, move, left] of steps) {
      move();
      expect(await syncAll(flows), what).toMatchObject({ succeeded: 1, failed: 0, embedded: 0 });
      await expectAsNew({ flows, raw, fromScratch }, path, left);
      expect(await syncAll(flows), what).toMatchObject({ skipped: 1, succeeded: 0, failed: 0 });
    }
    // a renamed branch is selected by the group again
    git(path, 'symbolic-ref', 'HEAD', 'refs/heads/main');
    git(path, 'branch', '-m', 'release/9', 'release/nine');
    expect(await runGroup(flows)).toMatchObject({ succeeded: 1, failed: 0, embedded: 0 });
    const dump = await expectAsNew({ flows, raw, fromScratch }, path, ['release/nine']);
    expect(refsIn(dump)).toEqual(['HEAD', 'refs/heads/release/nine']);
    // a group without branches leaves existing ones, and keeps them up to date
    commitTree(path, tree(OLD), { branch: 'release/nine' });
    expect(await runGroup(flows, [])).toMatchObject({ succeeded: 1, failed: 0 });
    await expectAsNew({ flows, raw, fromScratch }, path, ['release/nine']);
    expect(await verify(flows)).toMatchObject({ succeeded: 1, failed: 0 });
  });
});

test('an object that Weaviate no longer finds is restored with all its refs', async ({ flows, raw, fromScratch }) => {
  const { tools } = flows;
  const path = await makeRepository(flows);
  await indexed(tools, path, GROUP.branches);
  const { refs } = await dumpIndex(raw.client, tools.store);
  const lost = Object.keys(refs).find((id) => refs[id]?.join() === ['HEAD', DEVELOP].join()) ?? '';
  commitTree(path, tree({ ...NEW, 'lib/new.js': 'exports.two = 2;\n' }));
  await indexed(losing(tools, lost), path, []);
  const dump = await expectAsNew({ flows, raw, fromScratch }, path, GROUP.branches);
  expect(dump.refs[lost]).toEqual(['HEAD', DEVELOP]);
});

describe('another build', () => {
  test('has all branches, and a rollback includes added and removed branches', async ({ flows, raw }) => {
    const { client, tools, estate } = flows;
    await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
    const path = estate.gitDir('acme/api');
    commitTree(path, tree({ 'a.ts': 'export const one = 1;\n', 'b.ts': 'export const two = 2;\n' }), {
      branch: 'develop',
    });
    git(path, 'branch', 'release/9', 'develop');
    await runGroup(flows, ['develop']);
    const first = await dumpIndex(raw.client, tools.store);
    expect(await (await startFlow(client, 'reembedIndex', { model: 'onnx', yes: true })).result()).toMatchObject({
      switched: true,
      repositories: 1,
      failed: 0,
    });
    const live = (await tools.live())?.store;
    if (live === undefined) throw new Error('nothing is live');
    const second = await dumpIndex(raw.client, live);
    expect(faultsOf(second)).toEqual([]);
    expect(refsIn(second)).toEqual(['HEAD', DEVELOP]);
    expect(countByRefs(second)).toEqual(countByRefs(first));

    await runGroup(flows, ['release/*']);
    const removal = await startFlow(client, 'removeRepositories', { patterns: ['acme/api'], branch: 'develop' });
    expect(await removal.result()).toMatchObject({ succeeded: 1 });
    expect(refsIn(await dumpIndex(raw.client, live))).toEqual(['HEAD', RELEASE]);
    await (await startFlow(client, 'switchIndex', { to: 'previous' })).result();
    expect(await syncAll(flows)).toMatchObject({ succeeded: 1, failed: 0 });
    const back = await dumpIndex(raw.client, tools.store);
    expect(faultsOf(back)).toEqual([]);
    expect(refsIn(back)).toEqual(['HEAD', RELEASE]);
  });
});

/** Tools whose store has an object that no filter finds until it is purged, as after a kill of Weaviate. */
function losing(tools: OpenTools, id: string): OpenTools {
  let isLost = true;
  const lossy = (store: IndexStore): IndexStore => ({
    ...store,
    count: async (...of) => (await store.count(...of)) - Number(isLost),
    async *inventory(...of) {
      for await (const page of store.inventory(...of)) yield page.filter((entry) => !isLost || entry.id !== id);
    },
    async purge(ids) {
      if (ids.includes(id)) isLost = false;
      await store.purge(ids);
    },
  });
  return {
    ...tools,
    index: async (build) => {
      const index = await tools.index(build);
      return { ...index, store: lossy(index.store) };
    },
  };
}
