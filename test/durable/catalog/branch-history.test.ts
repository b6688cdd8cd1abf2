import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect } from 'vitest';
import type { IndexStore } from '../../../activities/index/store/store.ts';
import type { OpenTools } from '../../../activities/catalog/tools.ts';
import { makeRandomWalk } from '../../support/histories.ts';
import { dumpIndex, faultsOf } from '../../support/catalog/index-dump.ts';
import { commitTree, git, gitAsync } from '../../support/scratch-git.ts';
import { GROUP, NEW, OLD, test, makeRepository, tree, verify, indexed } from '../../support/catalog/branches.ts';

describe('any history of refs', () => {
  test.for([1, 2])(
    'results in the same index as a full indexing: random walk %i',
    async (seed, { flows, raw, fromScratch }) => {
      const { estate, tools } = flows;
      await mkdir(dirname(estate.gitDir('acme/api')), { recursive: true });
      const path = estate.gitDir('acme/api');
      const commits = (await makeRandomWalk(path, { seed, steps: 14 })).map(({ commit }) => commit);
      const random = randomFrom(seed);
      const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];
      const NAMES = ['main', 'develop', 'release/1', 'release/2'];
      const zeros = /^0+$/;
      for (let step = 0; step < 14; step++) {
        for (const name of NAMES) {
          if (random() < 0.5) continue;
          const commit = pick(commits) ?? '';
          const ref = `refs/heads/${name}`;
          if (zeros.test(commit) || random() < 0.15) await gitAsync(path, 'update-ref', '-d', ref);
          else await gitAsync(path, 'update-ref', ref, commit);
        }
        const listed = await gitAsync(path, 'for-each-ref', '--format=%(refname)', 'refs/heads');
        const there = listed.split('\n').filter((ref) => ref !== '');
        // a HEAD that names none of several branches is refused: `HeadMissing`
        if (there.length > 1 && (random() < 0.3 || !there.includes(await gitAsync(path, 'symbolic-ref', 'HEAD')))) {
          await gitAsync(path, 'symbolic-ref', 'HEAD', pick(there) ?? '');
        }
        const asked = random() < 0.7 ? ['develop', 'release/*', 'main'] : [];
        await indexed(tools, path, asked);
        const dump = await dumpIndex(raw.client, tools.store);
        expect(faultsOf(dump), `seed ${seed}, step ${step}`).toEqual([]);
        const names = dump.receipts.flatMap(({ ref, branch }) => (ref === 'HEAD' ? [] : [branch ?? '']));
        expect(dump, `seed ${seed}, step ${step}`).toEqual(await fromScratch(path, names));
      }
    },
  );

  /** Number of writes between two interrupted ones. */
  const EVERY = process.env['FULL_SWEEP'] === '1' ? 1 : 3;
  test('has the same result when it is interrupted at any write, also in the middle of a branch', async ({
    flows,
    raw,
    fromScratch,
  }) => {
    const { tools } = flows;
    const path = await makeRepository(flows);
    const moved = commitTree(path, tree({ ...OLD, 'lib/new.js': 'exports.one = 1;\n' }), { branch: 'moved' });
    const head = commitTree(path, tree({ ...NEW, 'lib/new.js': 'exports.two = 2;\n' }), { branch: 'next' });
    const [main, develop, release] = ['main', 'develop', 'release/9'].map((name) => git(path, 'rev-parse', name));
    // HEAD and a branch move, a branch is deleted, another is created; then HEAD points to a former branch
    const states: Readonly<Record<string, string | null>>[] = [
      { main: main ?? '', develop: develop ?? '', 'release/9': release ?? '', 'release/10': null },
      { main: head, develop: null, 'release/9': moved, 'release/10': main ?? '' },
      { main: head, develop: main ?? '', 'release/9': moved, 'release/10': null },
    ];
    const heads = ['main', 'main', 'release/9'];
    const setTo = (state: number): void => {
      for (const [name, commit] of Object.entries(states[state] ?? {})) {
        git(path, 'update-ref', ...(commit === null ? ['-d', `refs/heads/${name}`] : [`refs/heads/${name}`, commit]));
      }
      git(path, 'symbolic-ref', 'HEAD', `refs/heads/${heads[state]}`);
    };
    for (const to of [1, 2]) {
      setTo(to);
      const expected = await fromScratch(path, GROUP.branches);
      let isBroken = true;
      let nth = 0;
      while (isBroken) {
        nth += EVERY;
        setTo(0);
        await indexed(tools, path, GROUP.branches);
        setTo(to);
        const broken: unknown = await indexed(breakingAt(tools, nth), path, GROUP.branches).catch(
          (error: unknown) => error,
        );
        isBroken = broken instanceof Error;
        if (isBroken) {
          expect(String(broken)).toContain('broken off');
          await indexed(tools, path, GROUP.branches);
        }
        const dump = await dumpIndex(raw.client, tools.store);
        expect(faultsOf(dump), `to ${to}, write ${nth}`).toEqual([]);
        expect(dump, `to ${to}, write ${nth}`).toEqual(expected);
      }
      expect(nth).toBeGreaterThan(12);
    }
    expect(await verify(flows)).toMatchObject({ failed: 0, verification: { differing: 0 } });
  });
});

/** Tools whose store fails at the n-th write request, half of the times after the request succeeded. */
function breakingAt(tools: OpenTools, nth: number): OpenTools {
  let left = nth;
  const breaking =
    <Arguments extends unknown[], Result>(call: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      if (--left > 0) return call(...args);
      if (nth % 2 === 0) await call(...args);
      left = Number.POSITIVE_INFINITY;
      throw new Error('broken off');
    };
  const broken = (store: IndexStore): IndexStore => ({
    ...store,
    write: breaking(store.write),
    delete: breaking(store.delete),
    purge: breaking(store.purge),
    writeReceipt: breaking(store.writeReceipt),
    deleteReceipt: breaking(store.deleteReceipt),
  });
  return {
    ...tools,
    index: async (build) => {
      const index = await tools.index(build);
      return { ...index, store: broken(index.store) };
    },
  };
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
