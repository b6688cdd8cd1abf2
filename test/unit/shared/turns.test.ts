import { expect, test } from 'vitest';
import { nextTurn, untilNextLook } from '../../../workflows/shared/turns.ts';

const DAY_MS = 24 * 3_600_000;

test.each([
  ['that waits', false, 60_000],
  ['whose turn it is', true, 1_000],
])('a flow %s for ten days looks at most 260 times, and first soon', (_what, isItsTurn, first) => {
  let looks = 0;
  for (let waited = 0; waited < 10 * DAY_MS; looks++) waited += untilNextLook(looks, isItsTurn);
  expect(untilNextLook(0, isItsTurn)).toBe(first);
  expect(looks).toBeLessThanOrEqual(260);
});

test.each([
  ['', '', undefined, '', ''],
  ['b c d', '', 'b', '', 'c d'],
  // the newest one that replaces comes next
  ['b c d', 'b c', 'c', 'b', 'd'],
  ['b c d', 'd', 'd', 'b c', ''],
  // one that has ended
  ['b c', 'd', 'b', '', 'c'],
])(
  'of %j, of which %j replace, %s comes next, instead of %j, before %j',
  (queue, replacing, next, replaced, behind) => {
    const list = (text: string): string[] => text.split(' ').filter(Boolean);
    const found = { next, replaced: list(replaced), behind: list(behind) };
    expect(nextTurn(list(queue), list(replacing))).toEqual(found);
  },
);
