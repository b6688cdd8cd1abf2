import { expect, test } from 'vitest';
import { recentCommits } from '../../../activities/index/recent-commits.ts';
import type { Receipt } from '../../../domain/catalog/index/receipt.ts';

test('the commit of a repository is read once in a second, at each ref, and never reused for longer', async () => {
  const requests: string[] = [];
  const indexed = new Map([['a', '1']]);
  const store = {
    readReceipts: async (repositories: readonly string[], ref = ''): Promise<Receipt[]> => {
      requests.push(`${ref} ${repositories.join(' ')}`);
      const found = repositories.filter((repository) => indexed.has(repository));
      return found.map((repository) => ({ repository, commit: indexed.get(repository) }) as Receipt);
    },
  };
  let now = 0;
  const read = async (repositories: readonly string[], ref = 'HEAD') =>
    Object.fromEntries(await recentCommits(store, repositories, ref, () => now));

  expect(await read(['a', 'b'])).toEqual({ a: '1' });
  indexed.set('a', '2').set('b', '3').set('c', '4');
  now = 999;
  expect(await read(['a', 'b'])).toEqual({ a: '1' });
  expect(requests).toEqual(['HEAD a b']);
  expect(await read(['a', 'c'])).toEqual({ a: '1', c: '4' });
  expect(await read(['a'], 'refs/heads/next')).toEqual({ a: '2' });
  now = 1_000;
  expect(await read(['a', 'b', 'c'])).toEqual({ a: '2', b: '3', c: '4' });
  expect(requests.slice(1)).toEqual(['HEAD c', 'refs/heads/next a', 'HEAD a b']);
});
