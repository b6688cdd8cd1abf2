import { expect, test } from 'vitest';
import { expectWalkEqualsScratch } from '../../support/catalog/random-walk.ts';

test.for([1, 2, 3])(
  'the incremental index equals the index from scratch at every step of random walk %i',
  async (seed) => {
    await expect(expectWalkEqualsScratch(seed)).resolves.toBeGreaterThanOrEqual(16);
  },
);
