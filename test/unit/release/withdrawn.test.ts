import { expect, test } from 'vitest';
import { whyWithdrawn } from '../../../domain/release/train/withdrawn.ts';

const WITHDRAWN = { why: 'leaks memory', at: new Date('2026-11-05T10:00:00Z'), commit: 'a'.repeat(40) };
const HOLDS = 'v1.5.0 was withdrawn (leaks memory): longhaul generation promote v1.5.0';
const [BEFORE, SINCE] = ['2026-11-05T09:59:59Z', '2026-11-05T10:00:01Z'];
const [OTHER, SAME] = ['b'.repeat(40), 'a'.repeat(40)];

test.each([
  [BEFORE, SAME, HOLDS],
  // a commit that only changes something else
  [BEFORE, OTHER, HOLDS],
  [null, OTHER, HOLDS],
  // the same commit, proven again
  [SINCE, SAME, HOLDS],
  [SINCE, OTHER, null],
])('a withdrawn generation whose last proof is of %s, at the commit %s: %s', (proof, head, expected) => {
  const lastProof = proof === null ? null : new Date(proof);
  expect(whyWithdrawn('v1.5.0', WITHDRAWN, { lastProof, head })).toBe(expected);
  expect(whyWithdrawn('v1.5.0', null, { lastProof, head })).toBeNull();
});

test('a withdrawal without a reason has none in its sentence', () => {
  expect(whyWithdrawn('v1.5.0', { ...WITHDRAWN, why: null }, { lastProof: null, head: SAME })).toBe(
    'v1.5.0 was withdrawn: longhaul generation promote v1.5.0',
  );
});
