import { describe, expect, test } from 'vitest';
import { ndcgAt10 } from '../../../../domain/catalog/search/ndcg.ts';

describe('ndcgAt10', () => {
  test.each([
    ['the only good one comes first', [1], [1], 1],
    ['it comes second', [0, 1], [1], 1 / Math.log2(3)],
    ['it comes eleventh', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [1], 0],
    ['one of two', [1, 0], [1, 1], 1 / (1 + 1 / Math.log2(3))],
    ['the better one comes last', [1, 3], [1, 3], (1 + 3 / Math.log2(3)) / (3 + 1 / Math.log2(3))],
    ['nothing found', [], [1], 0],
    ['nothing judged', [0], [], 0],
  ])('%s', (_, gains, judged, ndcg) => {
    expect(ndcgAt10(gains, judged)).toBeCloseTo(ndcg, 10);
  });
});
