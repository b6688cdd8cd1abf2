import { describe, expect, test } from 'vitest';
import { compareAnswers, isNoWorse } from '../../../../domain/catalog/index/build.ts';

const file = (path: string, repo = 'p/o/r') => ({ repo, path });

describe('compareAnswers', () => {
  const before = [file('a'), file('b')];
  const after = [file('b'), file('c')];

  test('scores queries with expected files, and counts the files that both builds return', () => {
    const comparison = compareAnswers([
      { query: { query: 'judged', expect: ['a'] }, before, after },
      { query: { query: 'not judged' }, before, after: before },
    ]);
    expect(comparison).toEqual({
      queries: 2,
      judged: 1,
      ndcgBefore: 1,
      ndcgAfter: 0,
      overlap: 0.75,
      worst: [{ query: 'judged', before: 1, after: 0 }],
    });
    expect(isNoWorse(comparison)).toBe(false);
  });

  test.each([
    ['a file that comes twice counts once', [file('a'), file('a'), file('b')], ['a', 'b'], 1],
    ['files of the same path each count', [file('a'), file('a', 'p/o/other')], ['a'], 1],
    ['an expected file may name its repository', [file('a', 'p/o/other'), file('a')], ['p/o/r:a'], 1 / Math.log2(3)],
    ['an expected file that is named twice is one', [file('a')], ['a', 'a'], 1],
  ])('%s', (_, found, judged, ndcg) => {
    const { ndcgAfter } = compareAnswers([{ query: { query: 'judged', expect: judged }, before: [], after: found }]);
    expect(ndcgAfter).toBeCloseTo(ndcg, 10);
  });

  test('a build is not worse when no query is judged, or the loss is noise', () => {
    const none = compareAnswers([{ query: { query: 'not judged' }, before, after }]);
    expect(none).toMatchObject({ ndcgBefore: null, ndcgAfter: null });
    expect(isNoWorse(none)).toBe(true);
    expect(isNoWorse({ ...none, ndcgBefore: 0.9, ndcgAfter: 0.885 })).toBe(true);
    expect(isNoWorse({ ...none, ndcgBefore: 0.9, ndcgAfter: 0.875 })).toBe(false);
  });
});
