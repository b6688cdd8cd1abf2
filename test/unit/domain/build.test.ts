import { describe, expect, test } from 'vitest';
import { compareAnswers, isNoWorse, ndcgAt10 } from '../../../domain/catalog/build.ts';

const file = (path: string, repo = 'p/o/r') => ({ repo, path });

describe('ndcgAt10', () => {
  test.each([
    ['the only good file comes first', ['a'], ['a'], 1],
    ['it comes second', ['x', 'a'], ['a'], 1 / Math.log2(3)],
    ['it comes eleventh', [...'bcdefghijk', 'a'], ['a'], 0],
    ['two of two', ['a', 'b'], ['b', 'a'], 1],
    ['one of two', ['a', 'x'], ['a', 'b'], 1 / (1 + 1 / Math.log2(3))],
    ['a file that comes twice counts once', ['a', 'a', 'b'], ['a', 'b'], 1],
    ['nothing found', [], ['a'], 0],
  ])('%s', (_, found, expected, gain) => {
    expect(
      ndcgAt10(
        found.map((path) => file(path)),
        expected,
      ),
    ).toBeCloseTo(gain, 10);
  });

  test('an expected file may name its repository', () => {
    const found = [file('a', 'p/o/other'), file('a', 'p/o/r')];
    expect(ndcgAt10(found, ['p/o/r:a'])).toBeCloseTo(1 / Math.log2(3), 10);
  });
});

describe('compareAnswers', () => {
  const before = [file('a'), file('b')];
  const after = [file('b'), file('c')];

  test('judges the queries that say what they expect, and counts what both gave', () => {
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

  test('says nothing against a build when no query is judged, or the loss is noise', () => {
    const none = compareAnswers([{ query: { query: 'not judged' }, before, after }]);
    expect(none).toMatchObject({ ndcgBefore: null, ndcgAfter: null });
    expect(isNoWorse(none)).toBe(true);
    expect(isNoWorse({ ...none, ndcgBefore: 0.9, ndcgAfter: 0.885 })).toBe(true);
    expect(isNoWorse({ ...none, ndcgBefore: 0.9, ndcgAfter: 0.875 })).toBe(false);
  });
});
