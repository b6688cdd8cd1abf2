import { expect, test } from 'vitest';
import { forgeRepositoryId } from '../../../activities/workspace/forge-repository.ts';
import { providerSchema } from '../../../domain/config/providers.schema.ts';

const PROVIDERS = [
  { name: 'disk', type: 'local', root: '/srv' },
  { name: 'hub', type: 'github' },
  { name: 'lab', type: 'gitlab', url: 'https://lab.example:8443' },
  { name: 'tea', type: 'gitea', url: 'https://git.example/tea' },
].map((config) => providerSchema.parse(config));

test.each([
  ['https://github.com/acme/api.git', 'hub/acme/api'],
  ['https://GitHub.com/acme/api', 'hub/acme/api'],
  ['git@github.com:acme/api.git', 'hub/acme/api'],
  ['ssh://git@github.com:22/acme/api', 'hub/acme/api'],
  ['https://lab.example:8443/acme/team/deep/api.git', 'lab/acme/team:deep/api'],
  ['git@lab.example:acme/team/api.git', 'lab/acme/team/api'],
  ['https://git.example/tea/acme/api', 'tea/acme/api'],
  ['https://git.example/acme/api', null],
  ['https://lab.example/acme/api', null],
  ['https://github.com/acme/deep/api', null],
  ['https://github.com.evil.example/acme/api', null],
  ['https://github.com/acme/..', null],
  ['https://github.com/api', null],
  ['/srv/acme/api', null],
  ['file:///srv/acme/api', null],
])('%s is %s', (origin, id) => {
  expect(forgeRepositoryId(origin, PROVIDERS)).toBe(id);
});
