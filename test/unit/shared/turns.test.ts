import { expect, test } from 'vitest';
import { untilNextLook } from '../../../workflows/shared/turns.ts';

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
