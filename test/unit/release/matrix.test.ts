import { describe, expect, test } from 'vitest';
import { combinationsOf } from '../../../domain/release/contracts/matrix.ts';
import { cycleOf } from '../../../domain/release/contracts/needs.ts';

describe('a matrix', () => {
  test('is the product of its axes, the last one changing fastest, without what is excluded', () => {
    const axes = { os: ['linux', 'mac'], node: [22, 24] };
    expect(combinationsOf({ axes, include: [], exclude: [{ os: 'mac', node: 22 }] })).toEqual([
      { os: 'linux', node: 22 },
      { os: 'linux', node: 24 },
      { os: 'mac', node: 24 },
    ]);
  });

  // the example of GitHub's documentation, "Expanding or adding matrix configurations"
  test('includes as GitHub Actions does', () => {
    const axes = { fruit: ['apple', 'pear'], animal: ['cat', 'dog'] };
    const include = [
      { color: 'green' },
      { color: 'pink', animal: 'cat' },
      { fruit: 'apple', shape: 'circle' },
      { fruit: 'banana' },
      { fruit: 'banana', animal: 'cat' },
    ];
    expect(combinationsOf({ axes, include, exclude: [] })).toEqual([
      { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
      { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
      { fruit: 'pear', animal: 'cat', color: 'pink' },
      { fruit: 'pear', animal: 'dog', color: 'green' },
      { fruit: 'banana' },
      { fruit: 'banana', animal: 'cat' },
    ]);
  });

  test('of inclusions only has one combination each', () => {
    expect(combinationsOf({ axes: {}, include: [{ a: 1 }, { b: 2 }], exclude: [] })).toEqual([{ a: 1 }, { b: 2 }]);
  });
});

test('a chain of 5,000 jobs has no cycle, and one that ends at its beginning has', () => {
  const chain = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`j${at}`, { needs: [`j${at + 1}`] }]));
  expect(cycleOf(chain)).toBeNull();
  expect(cycleOf({ ...chain, j5000: { needs: ['j4999'] } })).toEqual(['j4999', 'j5000', 'j4999']);
});
