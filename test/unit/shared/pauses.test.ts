import { expect, test } from 'vitest';
import { pauseAfter } from '../../../domain/shared/pauses.ts';

const HOUR = { shortestMs: 2_000, longestMs: 1_200_000, withinMs: 3_600_000 };

test('a wait of an hour takes ten attempts at most, and uses the hour', () => {
  const all: number[] = [];
  let waited = 0;
  for (let ms = pauseAfter(waited, HOUR); ms !== null; ms = pauseAfter(waited, HOUR)) {
    all.push(ms);
    waited += ms;
  }
  expect(all.length).toBeLessThanOrEqual(9);
  expect(all.slice(0, 3)).toEqual([2_000, 4_000, 12_000]);
  expect(Math.max(...all)).toBeLessThanOrEqual(1_200_000);
  expect(waited).toBe(3_600_000);
});
