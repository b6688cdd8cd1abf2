import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { stepsAfter } from '../../../domain/catalog/flows/follow.ts';
import { readRepositoryEvents, type RepositoryEvent } from '../../../domain/forge/repository-event.ts';
import { type Forge, FORGES, idOfChange, webhookAction } from '../../../domain/forge/webhook.ts';
import type { WebhookPlace } from '../../../domain/forge/webhook/action.ts';
import { WEBHOOK_EXAMPLES } from '../../support/webhook-examples.ts';

/** A provider without settings that matter to its messages. */
const ANY: WebhookPlace = { url: null, organizations: [] };
const AZURE: WebhookPlace = { url: 'https://dev.azure.com', organizations: ['acme'] };

const API = { name: 'api', owner: { login: 'acme' }, default_branch: 'main' };
const push = (ref: string): object => ({ ref, repository: API });
const azure = (eventType: string, resource: object): object => ({
  eventType,
  resource: {
    ...resource,
    repository: {
      name: 'api',
      project: { name: 'platform' },
      remoteUrl: 'https://dev.azure.com/acme/platform/_git/api',
      defaultBranch: 'refs/heads/main',
    },
  },
});
const bitbucket = (change: object): object => ({
  repository: { full_name: 'acme/api' },
  push: { changes: [change] },
});

describe('the heads in a push', () => {
  const commit = 'a'.repeat(40);
  const before = 'b'.repeat(40);
  const zero = '0'.repeat(40);
  const project = { project: { path_with_namespace: 'acme/api', default_branch: 'main' } };
  test.each([
    ['github', 'push', { ...push('refs/heads/main'), after: commit, before }],
    ['gitea', 'push', { ...push('refs/heads/main'), after: commit, before }],
    ['gitlab', 'Push Hook', { event_name: 'push', ref: 'refs/heads/main', after: commit, before, ...project }],
    [
      'gitlab',
      'System Hook',
      {
        event_name: 'repository_update',
        refs: ['refs/heads/main', 'refs/heads/gone'],
        changes: [
          { ref: 'refs/heads/gone', after: zero },
          { ref: 'refs/heads/main', after: commit, before },
        ],
        ...project,
      },
    ],
    [
      'bitbucket',
      'repo:push',
      bitbucket({
        old: { name: 'main', type: 'branch', target: { hash: before } },
        new: { name: 'main', type: 'branch', target: { hash: commit } },
      }),
    ],
    [
      'azure-devops',
      '',
      azure('git.push', { refUpdates: [{ name: 'refs/heads/main', newObjectId: commit, oldObjectId: before }] }),
    ],
  ] as const)('of %s (%s) are those of branches', (forge, event, payload) => {
    const place = forge === 'azure-devops' ? AZURE : ANY;
    expect(webhookAction(forge, event, payload, place)).toMatchObject({
      changes: [{ kind: 'pushed', heads: [{ branch: 'main', commit, before }] }],
    });
  });

  test('say no oid before it of a new branch', () => {
    const payload = { ...push('refs/heads/main'), after: commit, before: zero };
    expect(webhookAction('github', 'push', payload, ANY)).toMatchObject({
      changes: [{ heads: [{ branch: 'main', commit }] }],
    });
    expect(JSON.stringify(webhookAction('github', 'push', payload, ANY))).not.toContain('before');
  });

  test.each([zero, 'abc', '', 7, `${commit}g`])('are no other values: %s', (after) => {
    const action = webhookAction('github', 'push', { ...push('refs/heads/main'), after }, ANY);
    expect(action).toEqual({ do: 'follow', changes: [{ kind: 'pushed', name: ['acme', 'api'] }] });
    const tag = webhookAction('github', 'push', { ...push('refs/tags/v1'), after: commit }, ANY);
    expect(tag).toMatchObject({ do: 'ignore' });
  });
});

describe('interpretation of a webhook', () => {
  const cases: readonly [Forge, string, object, string][] = [
    ['github', 'push', push('refs/heads/main'), 'pushed acme/api'],
    ['github', 'push', push('refs/heads/other'), 'pushed acme/api at other'],
    ['github', 'push', push('refs/tags/main'), 'ignore'],
    [
      'github',
      'push',
      { ref: 'refs/heads/any', repository: { name: 'api', owner: { name: 'acme' } } },
      'pushed acme/api',
    ],
    ['github', 'push', {}, 'refuse'],
    ['github', 'push', push('main'), 'pushed acme/api'],
    ['github', 'push', push('refs/pull/7/head'), 'ignore'],
    ['github', 'push', { repository: API }, 'pushed acme/api'],
    ['github', 'repository', { action: 'deleted' }, 'refuse'],
    ['github', 'repository', { action: 'renamed', repository: API }, 'refuse'],
    ['github', 'installation_repositories', { action: 'added', repositories_added: [] }, 'ignore'],
    ['github', 'installation_repositories', { action: 'added', repositories_added: [{ id: 1 }] }, 'refuse'],
    ['github', 'ping', { zen: 'Speak like a human.' }, 'ignore'],
    ['github', 'repository', { action: 'created', repository: API }, 'appeared acme/api'],
    ['github', 'repository', { action: 'unarchived', repository: API }, 'appeared acme/api'],
    ['github', 'repository', { action: 'archived', repository: API }, 'archived acme/api'],
    ['github', 'repository', { action: 'deleted', repository: API }, 'deleted acme/api'],
    ['github', 'repository', { action: 'privatized', repository: API }, 'hidden acme/api'],
    ['github', 'repository', { action: 'edited', repository: API, changes: { description: { from: 'a' } } }, 'ignore'],
    [
      'github',
      'repository',
      { action: 'edited', repository: API, changes: { default_branch: { from: 'master' } } },
      'pushed acme/api',
    ],
    [
      'github',
      'repository',
      { action: 'renamed', repository: API, changes: { repository: { name: { from: 'old' } } } },
      'moved acme/api from acme/old',
    ],
    [
      'github',
      'repository',
      { action: 'transferred', repository: API, changes: { owner: { from: { organization: { login: 'other' } } } } },
      'moved acme/api from other/api',
    ],
    [
      'github',
      'organization',
      { action: 'renamed', organization: { login: 'acme' }, changes: { login: { from: 'old' } } },
      'moved acme/* from old/*',
    ],
    [
      'github',
      'installation_repositories',
      { action: 'removed', repositories_removed: [{ full_name: 'acme/api' }, { full_name: 'acme/web' }] },
      'hidden acme/api, hidden acme/web',
    ],
    ['gitea', 'push', push('refs/heads/main'), 'pushed acme/api'],
    ['gitea', 'repository', { action: 'deleted', repository: API }, 'deleted acme/api'],
    [
      'gitlab',
      'Push Hook',
      {
        object_kind: 'push',
        event_name: 'push',
        ref: 'refs/heads/main',
        project: { path_with_namespace: 'acme/api', default_branch: 'main' },
      },
      'pushed acme/api',
    ],
    [
      'gitlab',
      'System Hook',
      {
        event_name: 'repository_update',
        refs: ['refs/heads/main', 'refs/tags/v1'],
        project: { path_with_namespace: 'acme/api', default_branch: 'main' },
      },
      'pushed acme/api',
    ],
    [
      'gitlab',
      'System Hook',
      {
        event_name: 'repository_update',
        refs: [],
        project: { path_with_namespace: 'acme/api', default_branch: 'main' },
      },
      'pushed acme/api',
    ],
    [
      'gitlab',
      'System Hook',
      { event_name: 'group_rename', full_path: 'acme', old_full_path: 'old' },
      'moved acme/* from old/*',
    ],
    // every project of the top group is looked up by its number
    [
      'gitlab',
      'System Hook',
      { event_name: 'group_rename', full_path: 'acme/new', old_full_path: 'acme/old' },
      'moved acme/* from acme/*',
    ],
    ['gitlab', 'Push Hook', { object_kind: 'push', ref: 'refs/heads/main' }, 'refuse'],
    ['gitlab', 'Tag Push Hook', { object_kind: 'tag_push', ref: 'refs/tags/v1' }, 'ignore'],
    [
      'gitlab',
      'System Hook',
      { event_name: 'project_create', path_with_namespace: 'acme/platform/db/api' },
      'appeared acme/platform:db/api',
    ],
    [
      'gitlab',
      'System Hook',
      { event_name: 'project_transfer', path_with_namespace: 'acme/api', old_path_with_namespace: 'old/api' },
      'moved acme/api from old/api',
    ],
    ['gitlab', 'System Hook', { event_name: 'project_destroy', path_with_namespace: 'acme/api' }, 'deleted acme/api'],
    // GitLab has no field that says whether it was archived, unarchived or only got a new description
    [
      'gitlab',
      'System Hook',
      { event_name: 'project_update', path_with_namespace: 'acme/api', project_visibility: 'public' },
      'hidden acme/api',
    ],
    ['bitbucket', 'repo:push', bitbucket({ new: { type: 'branch', name: 'main' }, old: null }), 'pushed acme/api'],
    ['bitbucket', 'repo:push', bitbucket({ new: null, old: { type: 'branch', name: 'main' } }), 'pushed acme/api'],
    ['bitbucket', 'repo:push', bitbucket({ new: { type: 'tag', name: 'v1' } }), 'ignore'],
    ['bitbucket', 'repo:push', bitbucket({ new: { type: 'annotated_tag', name: 'v1' } }), 'ignore'],
    ['bitbucket', 'repo:push', { repository: { full_name: 'acme/api' }, push: { changes: [] } }, 'pushed acme/api'],
    ['bitbucket', 'repo:push', bitbucket({ new: null, old: null }), 'pushed acme/api'],
    ['bitbucket', 'repo:push', { push: { changes: [] } }, 'refuse'],
    [
      'bitbucket',
      'repo:updated',
      { repository: { full_name: 'acme/api' }, changes: { full_name: { old: 'acme/old', new: 'acme/api' } } },
      'moved acme/api from acme/old',
    ],
    ['bitbucket', 'repo:deleted', { repository: { full_name: 'acme/api' } }, 'deleted acme/api'],
    ['azure-devops', '', azure('git.push', { refUpdates: [{ name: 'refs/heads/main' }] }), 'pushed acme/platform/api'],
    [
      'azure-devops',
      '',
      azure('git.push', { refUpdates: [{ name: 'refs/heads/other' }] }),
      'pushed acme/platform/api at other',
    ],
    ['azure-devops', '', azure('git.push', { refUpdates: [] }), 'pushed acme/platform/api'],
    ['azure-devops', '', azure('git.push', { refUpdates: [{ name: 'refs/tags/v1' }] }), 'ignore'],
    ['azure-devops', '', { eventType: 'git.push' }, 'refuse'],
    ['azure-devops', '', { eventType: 'workitem.created' }, 'ignore'],
    ['azure-devops', '', azure('git.repo.created', {}), 'appeared acme/platform/api'],
    [
      'azure-devops',
      '',
      azure('git.repo.renamed', { oldName: 'old' }),
      'moved acme/platform/api from acme/platform/old',
    ],
  ];

  test.for(cases)('%s %s %j: %s', ([forge, event, payload, expected]) => {
    const action = webhookAction(forge, event, payload, forge === 'azure-devops' ? AZURE : ANY);
    const told =
      action.do !== 'follow'
        ? action.do
        : action.changes
            .map(({ kind, name, from, branches = [] }) => {
              const where = [from && `from ${from.join('/')}`, branches.length > 0 && `at ${branches.join()}`];
              return [kind, name.join('/'), ...where.filter(Boolean)].join(' ');
            })
            .join(', ');
    expect(told).toBe(expected);
  });

  const server = { url: 'https://tfs.corp.example/tfs', organizations: ['DefaultCollection'] };
  const azureAt = (remoteUrl: string | null, repositoryUrl: string | null, baseUrl: string | null): object => ({
    eventType: 'git.push',
    resource: {
      refUpdates: [],
      repository: { name: 'api', project: { name: 'Shop' }, remoteUrl, url: repositoryUrl },
    },
    resourceContainers: { collection: { baseUrl } },
  });

  test.for([
    ['https://tfs.corp.example/tfs/DefaultCollection/Shop/_git/api', null, null, 'DefaultCollection'],
    [null, 'https://tfs.corp.example/tfs/DefaultCollection/_apis/git/repositories/278d', null, 'DefaultCollection'],
    [null, null, 'https://tfs.corp.example/tfs/DefaultCollection/', 'DefaultCollection'],
    // other spellings of the same address, and the name that the server has in its own network
    ['https://TFS.corp.example/TFS/defaultcollection/Shop/_git/api', null, null, 'DefaultCollection'],
    ['http://tfs.corp.example:8080/tfs/DefaultCollection/Shop/_git/api', null, null, 'DefaultCollection'],
    ['https://user@tfs.corp.example/tfs/DefaultCollection/Shop/_git/api', null, null, 'DefaultCollection'],
    ['http://win-7:8080/tfs/DefaultCollection/Shop/_git/api', null, null, 'DefaultCollection'],
    ['https://tfs.corp.example/tfs/Other%20One/Shop/_git/api', null, null, 'Other One'],
    ['https://tfs.corp.example/', null, 'https://elsewhere.example/DefaultCollection/', 'DefaultCollection'],
    ['https://elsewhere.example/tfs/Other/Shop/_git/api', null, null, null],
    ['https://tfs.corp.example/%E0%A4%A/', null, null, null],
    ['no address', null, null, null],
    [null, null, null, null],
  ] as const)('Azure DevOps Server: %s, %s, %s is of %s', ([remoteUrl, repositoryUrl, baseUrl, organization]) => {
    const action = webhookAction('azure-devops', '', azureAt(remoteUrl, repositoryUrl, baseUrl), server);
    const followed = { do: 'follow', changes: [{ kind: 'pushed', name: [organization, 'Shop', 'api'] }] };
    expect(action).toMatchObject(organization === null ? { do: 'refuse' } : followed);
  });

  test('the former addresses of dev.azure.com', () => {
    const payload = azureAt('https://acme.visualstudio.com/Shop/_git/api', null, null);
    expect(webhookAction('azure-devops', '', payload, AZURE)).toMatchObject({
      changes: [{ name: ['acme', 'Shop', 'api'] }],
    });
  });

  test('every example of GitHub is interpreted, and only changes of a repository or its HEAD lead to work', () => {
    const followed = new Map<string, number>();
    let seen = 0;
    for (const { name, examples: payloads } of WEBHOOK_EXAMPLES) {
      for (const payload of payloads) {
        seen++;
        const action = webhookAction('github', name, payload, ANY);
        expect(action.do).not.toBe('refuse');
        if (action.do === 'follow') followed.set(name, (followed.get(name) ?? 0) + 1);
      }
    }
    expect(seen).toBe(329);
    expect(Object.fromEntries(followed)).toEqual({
      installation: 2,
      installation_repositories: 3,
      organization: 1,
      public: 3,
      push: 2,
      repository: 12,
    });
  });

  property.prop([fc.constantFrom(...FORGES), fc.string(), fc.jsonValue()])(
    'never throws, for any JSON',
    (forge, event, payload) => {
      const known = ['push', 'repository', 'organization', 'installation', 'installation_repositories', 'repo:push'];
      for (const name of [event, ...known]) {
        const action = webhookAction(forge, name, payload, AZURE);
        if (action.do === 'follow') for (const { name: path } of action.changes) idOfChange('work', path);
      }
    },
  );

  test.for([
    [['acme', 'api'], 'work/acme/api'],
    [['acme', 'platform', 'api'], 'work/acme/platform/api'],
    [['acme', '*'], 'work/acme/*'],
    [['*', '*'], null],
    [['acme', 'a*'], null],
    [['acme', '..'], null],
    [['acme', 'platform', '*'], null],
    [['acme', 'a', 'b', 'c'], null],
    [['acme', 'a\u0000'], null],
    [['acme', ''], null],
  ] as const)('the name %j is the id %j', ([name, id]) => {
    expect(idOfChange('work', name)).toBe(id);
  });
});

describe('actions after events', () => {
  const id = 'work/acme/api';
  const done = (...events: RepositoryEvent[]): string[] =>
    stepsAfter(id, events).map(
      ({ flow, input }) => `${flow} ${'patterns' in input ? input.patterns.join() : input.repository}`,
    );
  const sync = `syncRepository ${id}`;
  const onboard = `onboardRepositories ${id}`;
  const remove = `removeRepositories ${id}`;

  test.for([
    ['pushes are one sync', [{ kind: 'pushed' }, { kind: 'pushed' }], [sync]],
    ['a new repository outside the sync groups is ignored', [{ kind: 'appeared' }], []],
    [
      'a new repository of a sync group is indexed',
      [{ kind: 'appeared', wanted: true }, { kind: 'pushed' }],
      [onboard, sync],
    ],
    ['what is gone is removed', [{ kind: 'pushed' }, { kind: 'deleted' }], [remove, sync]],
    [
      'a re-created repository is not removed',
      [
        { kind: 'deleted', wanted: true },
        { kind: 'appeared', wanted: true },
      ],
      [onboard],
    ],
    [
      'a deleted repository may exist again under the same name',
      [{ kind: 'deleted', wanted: true }],
      [remove, onboard],
    ],
    ['a repository that may be hidden is verified', [{ kind: 'hidden' }], [`verifyRepository ${id}`]],
    [
      'a renamed repository is moved, or is gone',
      [{ kind: 'moved', from: 'work/acme/old' }],
      ['syncRepositories work/acme/old', 'verifyRepository work/acme/old'],
    ],
    ['a former name at another provider is ignored', [{ kind: 'moved', from: 'other/acme/old' }], []],
    [
      'a renamed organization is moved',
      [{ kind: 'moved', from: 'work/old/*', wanted: true }],
      ['syncRepositories work/old/*', onboard],
    ],
  ] as const)('%s', ([, events, steps]) => {
    expect(done(...events)).toEqual(steps);
  });

  test('no event removes all repositories of an organization', () => {
    for (const kind of ['deleted', 'archived'] as const) {
      for (const every of ['work/acme/*', 'work/*/*']) {
        expect(stepsAfter(every, [{ kind }]).map(({ flow }) => flow)).toEqual([]);
      }
    }
  });

  test.for([
    null,
    'pushed',
    {},
    { kind: 'other' },
    { kind: 'moved' },
    { kind: 'moved', from: 3 },
    { kind: 'moved', from: '*' },
    [],
  ])('%j is no event', (given) => {
    expect(readRepositoryEvents(given)).toEqual([]);
    expect(readRepositoryEvents({ events: given })).toEqual([]);
    expect(readRepositoryEvents({ events: [given, { kind: 'pushed', more: 1 }] })).toEqual([{ kind: 'pushed' }]);
  });
});
