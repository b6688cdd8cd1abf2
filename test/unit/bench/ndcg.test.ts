import { describe, expect, test } from 'vitest';
import { BINARY, GRADED, ndcg } from '../../../bench/ndcg.ts';

const judged = { relevant: ['a'], secondary: ['b'] };

describe('NDCG@10 of files', () => {
  test.each([
    ['the best order', ['a', 'b', 'x'], 1, 1],
    ['nothing found', [], 0, 0],
    ['nothing of worth', ['x', 'y'], 0, 0],
    // (1/log2(3) + 1/log2(4)) / (1/log2(2) + 1/log2(3)) and (1/log2(3) + 3/log2(4)) / (3/log2(2) + 1/log2(3))
    ['one rank lower, the lesser first', ['x', 'b', 'a'], 0.693_426, 0.586_883],
    // 1/log2(3) / 1.630930 and 3/log2(3) / 3.630930
    ['half of it, at rank two', ['x', 'a'], 0.386_853, 0.521_296],
    ['a file counts once, where it comes first', ['x', 'x', 'a', 'a'], 0.386_853, 0.521_296],
    // 1/log2(11) / 1.630930
    ['rank ten counts', ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'a'], 0.177_241, 0.238_838],
    ['rank eleven does not', ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', 'a'], 0, 0],
  ])('%s', (_what, found, binary, graded) => {
    expect(ndcg(found, judged, BINARY)).toBeCloseTo(binary, 5);
    expect(ndcg(found, judged, GRADED)).toBeCloseTo(graded, 5);
  });

  test('more judged files than ranks: ten of them are all that can be found', () => {
    const many = Array.from({ length: 12 }, (_, index) => `${index}`);
    expect(ndcg(many.toReversed(), { relevant: ['0'], secondary: many.slice(1) })).toBeCloseTo(1, 10);
  });
});
