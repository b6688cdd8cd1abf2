import { expect, test } from 'vitest';
import { type ProviderConfig, providerSchema } from '../../../domain/config/providers.schema.ts';
import { repositoryOfRemote } from '../../../domain/config/remote.ts';

const PROVIDERS: readonly ProviderConfig[] = [
  { name: 'hub', type: 'github' },
  { name: 'enterprise', type: 'github', url: 'https://git.example.com:8443/hub' },
  { name: 'lab', type: 'gitlab' },
  { name: 'tea', type: 'gitea', url: 'https://tea.example.com' },
  { name: 'azure', type: 'azure-devops', organizations: ['acme'] },
  { name: 'bucket', type: 'bitbucket', workspaces: ['acme'] },
  { name: 'here', type: 'local', root: '/srv/git' },
  { name: 'any', type: 'mgit' },
].map((provider) => providerSchema.parse(provider));

test.each([
  ['https://github.com/acme/api.git', 'hub/acme/api'],
  ['https://github.com/acme/api', 'hub/acme/api'],
  ['https://token@github.com/acme/api/', 'hub/acme/api'],
  ['git@github.com:acme/api.git', 'hub/acme/api'],
  ['ssh://git@github.com:22/acme/api.git', 'hub/acme/api'],
  ['https://git.example.com:8443/hub/acme/api.git', 'enterprise/acme/api'],
  ['ssh://git@git.example.com:2222/acme/api.git', 'enterprise/acme/api'],
  ['https://gitlab.com/acme/tools/build/api.git', 'lab/acme/tools:build/api'],
  ['git@gitlab.com:acme/api.git', 'lab/acme/api'],
  ['https://tea.example.com/acme/api.git', 'tea/acme/api'],
  ['https://acme@dev.azure.com/acme/Shop%20Front/_git/api', 'azure/acme/Shop Front/api'],
  ['git@ssh.dev.azure.com:v3/acme/shop/api', 'azure/acme/shop/api'],
  ['git@bitbucket.org:acme/api.git', 'bucket/acme/api'],
  ['/srv/git/acme/api.git', 'here/acme/api'],
  ['file:///srv/git/acme/tools/build/api', 'here/acme/tools:build/api'],
  ['/srv/git/api.git', 'here/_/api'],
])('%s is the repository %s', (remote, id) => {
  expect(repositoryOfRemote(remote, PROVIDERS)).toBe(id);
});

test.each([
  'https://github.com.evil.example/acme/api.git',
  'https://evil.example/github.com/acme/api.git',
  'https://github.com/acme',
  'https://github.com/acme/tools/api.git',
  'https://git.example.com:8443/other/acme/api.git',
  'https://git.example.com/hub/acme/api.git',
  'https://dev.azure.com/acme/shop/api/tree/x',
  '/srv/gitty/acme/api.git',
  '/srv/git',
  '../api.git',
  'ext::sh -c x',
  '',
])('%s belongs to no provider', (remote) => {
  expect(repositoryOfRemote(remote, PROVIDERS)).toBeNull();
});
