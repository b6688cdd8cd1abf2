import { expect, test } from 'vitest';
import { SERVER_KINDS, uploadsAtMost, uploadsOfLastChange } from '../../support/git-servers.ts';

test.for(SERVER_KINDS)('syncs from a git server $name', async (kind) => {
  expect(await uploadsOfLastChange(kind)).toBeLessThanOrEqual(uploadsAtMost(kind));
});
