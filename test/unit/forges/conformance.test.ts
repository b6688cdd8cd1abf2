import { describe, expect, test } from 'vitest';
import { openForges } from '../../../activities/forges/open-forge.ts';
import { describeForgeWrites } from '../../support/forges/conformance.ts';
import { startDescribedPlace } from '../../support/forges/described-place.ts';

// a real Gitea passes the same cases in test/durable/forges/gitea.test.ts
describe.each(['github', 'gitlab'] as const)('%s', { timeout: 120_000 }, (kind) => {
  describeForgeWrites(() => startDescribedPlace(kind));
});

test('a provider that is a folder, or another kind of forge, has no such operations', () => {
  const forges = openForges(
    [
      { type: 'local', name: 'disk', root: '/x' },
      { type: 'azure-devops', name: 'az', url: 'https://dev.azure.com', organizations: ['a'], forks: false },
      { type: 'github', name: 'gh', url: 'https://github.com', archived: false, forks: false },
    ],
    {},
  );
  expect(() => forges.of({ id: 'disk/acme/api' })).toThrow(expect.objectContaining({ type: 'NoForge' }));
  expect(() => forges.of({ id: 'az/a/b/c' })).toThrow(expect.objectContaining({ type: 'NoForge' }));
  expect(() => forges.of({ id: 'gh/a/b' })).toThrow(expect.objectContaining({ type: 'AuthenticationFailed' }));
  expect(() => forges.of({ id: 'none/a/b' })).toThrow(expect.objectContaining({ type: 'RepositoryNotFound' }));
});
