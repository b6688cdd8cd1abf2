import { expect, test } from 'vitest';
import { isRepositoryId, repositoryId, repositoryName } from '../../../domain/git/repository.ts';

test('ids say provider, organization, project and repository', () => {
  expect(repositoryId('work', 'acme', null, 'api')).toBe('work/acme/api');
  expect(repositoryId('work', 'acme', 'platform', 'api')).toBe('work/acme/platform/api');
  expect(repositoryName('work/acme/platform/api')).toBe('acme/platform/api');
});

test.for([
  ['work/acme/api', true],
  ['work/acme/platform/api', true],
  ['work/acme/with space', true],
  ['acme/api', false],
  ['a/b/c/d/e', false],
  ['work/../api', false],
  ['work/acme/.', false],
  ['work//api', false],
  ['/work/acme/api', false],
  ['work/acme/a\u0000b', false],
  ['work/acme/a\nb', false],
  ['work/acme/a\\b', false],
  [`work/acme/${'x'.repeat(300)}`, false],
] as const)('%j is an id: %s', ([id, expected]) => {
  expect(isRepositoryId(id)).toBe(expected);
});
