import type { components, paths } from '@coderabbitai/bitbucket/cloud/openapi';
import type { AllGroupProjectsOptions, AllProjectsOptions, SimpleProjectSchema, ProjectSchema } from '@gitbeaker/core';
import type { GitRepository } from 'azure-devops-node-api/interfaces/GitInterfaces.js';
import type { Repository as GiteaRepository } from 'gitea-js';
import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import {
  type Answer,
  type DescribedForge,
  type Dialect,
  type HostedRepository,
  pageOf,
  withQuery,
} from './described-forge.ts';

/** One kind of forge: its answers, its configuration, and how its addresses map to ids. */
export interface ForgeKind {
  readonly dialect: Dialect;
  /** The provider `work` for a forge on loopback. */
  config(url: string, more?: object): ProviderConfig;
  /** Environment variables with the secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** The path of a repository, of an organization, a group when the forge has such, and a name. */
  path(organization: string, name: string): string;
  /** The id of the repository at a path. */
  id(path: string): string;
}

/** The secret that every kind accepts. */
export const TOKEN = 's3cret-T0ken';

const basic = (user: string): string => `Basic ${Buffer.from(`${user}:${TOKEN}`).toString('base64')}`;
const orgOf = ({ path }: HostedRepository): string => path.split('/')[0] ?? '';
const nameOf = ({ path }: HostedRepository): string => path.split('/').at(-1) ?? '';
const all = (forge: DescribedForge): HostedRepository[] => [...forge.repositories.values()];
const at = (forge: DescribedForge, wanted: string): HostedRepository | undefined =>
  all(forge).find(({ path }) => path.toLowerCase() === wanted.toLowerCase());
const links = (asked: URL, next: number | null, name = 'page'): Record<string, string> => {
  if (next === null) return {};
  // another host, as behind a proxy that the forge is not configured for
  const address = withQuery(asked, name, next).href.replace('127.0.0.1', 'inside');
  return { link: `<${address}>; rel="next"` };
};

const dotGit: Dialect['gitPath'] = (path) => {
  const [, repository, rest = ''] = /^\/(.+)\.git(\/.*)$/.exec(path) ?? [];
  return repository === undefined ? null : { repository, rest };
};

type Snake<Name> = Name extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Snake<Tail>}`
    : `_${Lowercase<Head>}${Snake<Tail>}`
  : Name;
/** A name by which a client of GitLab passes an option on. */
type Option<Options> = Snake<keyof { [Key in keyof Options as string extends Key ? never : Key]: 0 }>;

type GitlabProject = SimpleProjectSchema &
  Pick<ProjectSchema, 'archived'> & {
    forked_from_project?: { id: number };
    repository_access_level: string;
    marked_for_deletion_on?: string | null;
  };

function gitlabProject(forge: DescribedForge, hosted: HostedRepository): GitlabProject {
  const { path, number, archived, fork, disabled } = hosted;
  const namespace = path.split('/').slice(0, -1).join('/');
  return {
    id: number,
    description: null,
    name: nameOf(hosted),
    name_with_namespace: path.replaceAll('/', ' / '),
    path: nameOf(hosted),
    path_with_namespace: path,
    created_at: '2026-01-01T00:00:00.000Z',
    default_branch: 'main',
    topics: [],
    ssh_url_to_repo: `git@forge:${path}.git`,
    http_url_to_repo: `${forge.url}/${path}.git`,
    web_url: `${forge.url}/${path}`,
    readme_url: null,
    forks_count: 0,
    avatar_url: null,
    star_count: 0,
    last_activity_at: '2026-01-01T00:00:00.000Z',
    namespace: {
      id: 1,
      name: namespace,
      path: namespace,
      kind: 'group',
      full_path: namespace,
      avatar_url: '',
      web_url: `${forge.url}/${namespace}`,
    },
    archived,
    ...(fork ? { forked_from_project: { id: 1 } } : {}),
    repository_access_level: disabled ? 'disabled' : 'enabled',
  };
}

function gitlabProjects(forge: DescribedForge, asked: URL, wanted: (hosted: HostedRepository) => boolean): Answer {
  const withoutArchived = asked.searchParams.get('archived') === 'false';
  const items = all(forge).filter((hosted) => wanted(hosted) && !(withoutArchived && hosted.archived));
  if (asked.searchParams.get('pagination') !== 'keyset') {
    const { page, next } = pageOf(items, asked, 'per_page', 100);
    return { body: page.map((hosted) => gitlabProject(forge, hosted)), headers: links(asked, next) };
  }
  const after = Number(asked.searchParams.get('id_after') ?? 0);
  const left = items.filter(({ number }) => number > after);
  const page = left.slice(0, Number(asked.searchParams.get('per_page')));
  const last = left.length > page.length ? (page.at(-1)?.number ?? null) : null;
  return { body: page.map((hosted) => gitlabProject(forge, hosted)), headers: links(asked, last, 'id_after') };
}

const gitlab: ForgeKind = {
  dialect: {
    gitPath: dotGit,
    authorization: { api: `Bearer ${TOKEN}`, git: basic('oauth2') },
    unauthorized: { status: 401, body: { message: '401 Unauthorized' } },
    notFound: { status: 404, body: { message: '404 Not Found' } },
    routes: [
      {
        path: /^\/api\/v4\/projects$/,
        query: ['membership', 'archived', 'order_by', 'sort', 'id_after', 'per_page', 'pagination'] satisfies (
          | Option<AllProjectsOptions>
          | 'per_page'
          | 'pagination'
        )[],
        answer: (forge, _, asked) => gitlabProjects(forge, asked, () => true),
      },
      {
        path: /^\/api\/v4\/groups\/([^/]+)\/projects$/,
        query: ['include_subgroups', 'with_shared', 'archived', 'order_by', 'sort', 'per_page', 'page'] satisfies (
          | Option<AllGroupProjectsOptions>
          | 'per_page'
          | 'page'
        )[],
        answer: (forge, [group = ''], asked) => {
          const ofGroup = (hosted: HostedRepository): boolean => orgOf(hosted).toLowerCase() === group.toLowerCase();
          if (forge.users.has(group) || !all(forge).some(ofGroup)) return null;
          return gitlabProjects(forge, asked, ofGroup);
        },
      },
      {
        path: /^\/api\/v4\/users\/([^/]+)\/projects$/,
        query: ['archived', 'order_by', 'sort', 'per_page', 'page'],
        answer: (forge, [user = ''], asked) =>
          forge.users.has(user) ? gitlabProjects(forge, asked, (hosted) => orgOf(hosted) === user) : null,
      },
      {
        path: /^\/api\/v4\/projects\/([^/]+)$/,
        query: [],
        answer: (forge, [wanted = '']) => {
          const found = at(forge, wanted) ?? forge.repositories.get(Number(wanted));
          if (found) return { body: gitlabProject(forge, found) };
          const former = forge.former.get(wanted);
          if (former === undefined) return null;
          const location = `${forge.url}/api/v4/projects/${former}`;
          return {
            status: 301,
            body: { message: `This resource has been moved to ${location}` },
            headers: { location },
          };
        },
      },
    ],
  },
  config: (url, more) => ({ name: 'work', type: 'gitlab', url, tokenEnv: 'T', archived: false, forks: false, ...more }),
  env: { T: TOKEN },
  path: (organization, name) => `${organization}/platform/db/${name}`,
  id(path) {
    const [organization = '', ...rest] = path.split('/');
    const name = rest.pop() ?? '';
    return ['work', organization, ...(rest.length > 0 ? [rest.join(':')] : []), name].join('/');
  },
};

function giteaRepository(forge: DescribedForge, hosted: HostedRepository): GiteaRepository {
  const { path, number, archived, fork } = hosted;
  return {
    id: number,
    name: nameOf(hosted),
    full_name: path,
    owner: { id: 1, login: orgOf(hosted) },
    clone_url: `${forge.url}/${path}.git`,
    default_branch: 'main',
    archived,
    fork,
    empty: false,
  };
}

function giteaRepositories(forge: DescribedForge, asked: URL, items: HostedRepository[]): Answer {
  const { page, next } = pageOf(items, asked, 'limit', 50);
  return { body: page.map((hosted) => giteaRepository(forge, hosted)), headers: links(asked, next) };
}

const gitea: ForgeKind = {
  dialect: {
    gitPath: dotGit,
    authorization: { api: `Bearer ${TOKEN}`, git: basic('x-access-token') },
    unauthorized: { status: 401, body: { message: 'invalid username, password or token', url: '/api/swagger' } },
    notFound: { status: 404, body: { message: 'not found', errors: null, url: '/api/swagger' } },
    routes: [
      {
        path: /^\/api\/v1\/orgs\/([^/]+)\/repos$/,
        query: ['page', 'limit'],
        answer(forge, [owner = ''], asked) {
          const owned = all(forge).filter((hosted) => orgOf(hosted).toLowerCase() === owner.toLowerCase());
          return forge.users.has(owner) || owned.length === 0 ? null : giteaRepositories(forge, asked, owned);
        },
      },
      {
        path: /^\/api\/v1\/users\/([^/]+)\/repos$/,
        query: ['page', 'limit'],
        answer: (forge, [user = ''], asked) =>
          forge.users.has(user)
            ? giteaRepositories(
                forge,
                asked,
                all(forge).filter((hosted) => orgOf(hosted) === user),
              )
            : null,
      },
      {
        path: /^\/api\/v1\/user\/orgs$/,
        query: ['page', 'limit'],
        answer(forge, _, asked) {
          const names = [...new Set(all(forge).map(orgOf))].filter((name) => !forge.users.has(name));
          const { page, next } = pageOf(names, asked, 'limit', 50);
          return { body: page.map((name, id) => ({ id, name, username: name })), headers: links(asked, next) };
        },
      },
      {
        path: /^\/api\/v1\/user\/repos$/,
        query: ['page', 'limit'],
        answer: (forge, _, asked) => giteaRepositories(forge, asked, []),
      },
      {
        path: /^\/api\/v1\/repos\/([^/]+)\/([^/]+)$/,
        query: [],
        answer: (forge, [owner, name]) => {
          const found = at(forge, `${owner}/${name}`);
          if (found) return { body: giteaRepository(forge, found) };
          const former = forge.repositories.get(forge.former.get(`${owner}/${name}`) ?? 0);
          if (former === undefined) return null;
          return { status: 301, body: '', headers: { location: `/api/v1/repos/${former.path}` } };
        },
      },
      {
        path: /^\/api\/v1\/repositories\/(\d+)$/,
        query: [],
        answer: (forge, [id]) => {
          const found = forge.repositories.get(Number(id));
          return found ? { body: giteaRepository(forge, found) } : null;
        },
      },
    ],
  },
  config: (url, more) => ({ name: 'work', type: 'gitea', url, tokenEnv: 'T', archived: false, forks: false, ...more }),
  env: { T: TOKEN },
  path: (organization, name) => `${organization}/${name}`,
  id: (path) => `work/${path}`,
};

const guid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

function azureRepository(forge: DescribedForge, hosted: HostedRepository): GitRepository {
  const [organization = '', project = '', name = ''] = hosted.path.split('/');
  const address = `${organization}/${encodeURIComponent(project)}/_git/${encodeURIComponent(name)}`;
  return {
    id: guid(hosted.number),
    name,
    url: `${forge.url}/${organization}/_apis/git/repositories/${guid(hosted.number)}`,
    project: { id: guid(1), name: project },
    defaultBranch: 'refs/heads/main',
    size: 1,
    remoteUrl: `${forge.url.replace('//', `//${organization}@`)}/${address}`,
    sshUrl: `git@ssh.forge:v3/${hosted.path}`,
    webUrl: `${forge.url}/${address}`,
    isDisabled: hosted.disabled,
    ...(hosted.fork ? { isFork: true } : {}),
  };
}

const azureDevops: ForgeKind = {
  dialect: {
    gitPath(path) {
      const [, project, repository, rest = ''] = /^\/([^/]+\/[^/]+)\/_git\/([^/]+)(\/.*)$/.exec(path) ?? [];
      return repository === undefined ? null : { repository: `${project}/${repository}`, rest };
    },
    authorization: { api: basic(''), git: basic('') },
    unauthorized: { status: 401, body: '<!DOCTYPE html><html><title>Azure DevOps Services | Sign In</title></html>' },
    notFound: {
      status: 404,
      body: { $id: '1', innerException: null, message: 'TF401019: The Git repository does not exist.', errorCode: 0 },
    },
    routes: [
      {
        path: /^\/([^/]+)\/_apis\/git\/repositories$/,
        query: ['api-version', 'continuationToken'],
        answer(forge, [organization], asked) {
          const owned = all(forge).filter((hosted) => orgOf(hosted) === organization);
          if (owned.length === 0) return null;
          // the description has one answer without pages; the general rules of the API have this header for any list
          const from = Number(asked.searchParams.get('continuationToken') ?? 0);
          const value = owned.slice(from, from + 100).map((hosted) => azureRepository(forge, hosted));
          const more = from + 100 < owned.length;
          return {
            body: { value, count: value.length },
            headers: more ? { 'x-ms-continuationtoken': `${from + 100}` } : {},
          };
        },
      },
      {
        path: /^\/([^/]+)\/([^/]+)\/_apis\/git\/repositories\/([^/]+)$/,
        query: ['api-version'],
        answer(forge, [organization, project, name]) {
          const found = at(forge, `${organization}/${project}/${name}`);
          return found ? { body: azureRepository(forge, found) } : null;
        },
      },
      {
        path: /^\/([^/]+)\/_apis\/git\/repositories\/([^/]+)$/,
        query: ['api-version'],
        answer(forge, [organization, id]) {
          const found = all(forge).find(({ number }) => guid(number) === id);
          return found && orgOf(found) === organization ? { body: azureRepository(forge, found) } : null;
        },
      },
    ],
  },
  config: (url, more) => ({
    name: 'work',
    type: 'azure-devops',
    url,
    organizations: ['acme', 'other'],
    tokenEnv: 'T',
    forks: false,
    ...more,
  }),
  env: { T: TOKEN },
  path: (organization, name) => `${organization}/Team One/${name}`,
  id: (path) => `work/${path}`,
};

type BitbucketRepository = components['schemas']['repository'];
type BitbucketPage = components['schemas']['paginated_repositories'];
type BitbucketList = paths['/repositories/{workspace}']['get'];
const ONE_REPOSITORY = '/repositories/{workspace}/{repo_slug}' satisfies keyof paths;

function bitbucketRepository(forge: DescribedForge, hosted: HostedRepository): BitbucketRepository {
  const { path, number, fork } = hosted;
  const uuid = `{${guid(number)}}`;
  return {
    type: 'repository',
    uuid,
    full_name: path,
    name: nameOf(hosted),
    scm: 'git',
    is_private: true,
    mainbranch: { type: 'branch', name: 'main' },
    ...(fork ? { parent: { type: 'repository', full_name: 'upstream/one', uuid: `{${guid(1)}}` } } : {}),
    links: {
      clone: [
        { name: 'https', href: `${forge.url.replace('//', '//somebody@')}/${path}.git` },
        { name: 'ssh', href: `git@forge:${path}.git` },
      ],
    },
  };
}

const bitbucketRoute = (template: string): RegExp =>
  new RegExp(`^/2\\.0${template.replaceAll(/\{\w+\}/g, '([^/]+)')}$`);

const bitbucket: ForgeKind = {
  dialect: {
    gitPath: dotGit,
    authorization: {
      api: `Basic ${Buffer.from(`dev@example.com:${TOKEN}`).toString('base64')}`,
      git: basic('x-bitbucket-api-token-auth'),
    },
    unauthorized: {
      status: 401,
      body: { type: 'error', error: { message: 'Token is invalid, expired, or not supported' } },
    },
    notFound: { status: 404, body: { type: 'error', error: { message: 'Resource not found' } } },
    routes: [
      {
        path: bitbucketRoute('/repositories/{workspace}' satisfies keyof paths),
        // the last two are those of every list, according to the introduction of the API
        query: ['q', 'role', 'sort', 'page', 'pagelen'] satisfies (
          | keyof NonNullable<BitbucketList['parameters']['query']>
          | 'page'
          | 'pagelen'
        )[],
        answer(forge, [workspace], asked) {
          const owned = all(forge).filter((hosted) => orgOf(hosted) === workspace);
          if (owned.length === 0) return null;
          const { page, next } = pageOf(owned, asked, 'pagelen', 100);
          return {
            body: {
              values: page.map((hosted) => bitbucketRepository(forge, hosted)),
              pagelen: page.length,
              ...(next === null ? {} : { next: withQuery(asked, 'page', next).href }),
            } satisfies BitbucketPage,
          };
        },
      },
      {
        path: bitbucketRoute(ONE_REPOSITORY),
        query: [],
        answer(forge, [workspace, slug]) {
          const found =
            at(forge, `${workspace}/${slug}`) ?? all(forge).find(({ number }) => `{${guid(number)}}` === slug);
          return found && orgOf(found) === workspace ? { body: bitbucketRepository(forge, found) } : null;
        },
      },
    ],
  },
  config: (url, more) => ({
    name: 'work',
    type: 'bitbucket',
    url,
    apiUrl: `${url}/2.0`,
    workspaces: ['acme', 'other'],
    usernameEnv: 'U',
    tokenEnv: 'T',
    forks: false,
    ...more,
  }),
  env: { T: TOKEN, U: 'dev@example.com' },
  path: (organization, name) => `${organization}/${name}`,
  id: (path) => `work/${path}`,
};

/** The kinds of forge by their type in the configuration. */
export const FORGES = { gitlab, gitea, 'azure-devops': azureDevops, bitbucket } as const;
