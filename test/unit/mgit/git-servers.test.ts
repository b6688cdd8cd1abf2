import { expect, test } from 'vitest';
import { SERVER_KINDS, uploadsAtMost, uploadsOfLastChange } from '../../support/git-servers.ts';

/** All are in test/durable/mgit/git-servers.test.ts. */
const MOST_DIFFERENT = SERVER_KINDS.filter(({ allowFilter, allowAnySHA1InWant, protocol }) =>
  protocol === 2 ? allowFilter && allowAnySHA1InWant : protocol === 0 && !allowFilter && !allowAnySHA1InWant,
);

test.for(MOST_DIFFERENT)('syncs from a git server $name', async (kind) => {
  expect(await uploadsOfLastChange(kind)).toBeLessThanOrEqual(uploadsAtMost(kind));
});
