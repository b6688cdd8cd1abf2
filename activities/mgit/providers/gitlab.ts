import pLimit from 'p-limit';
import { z } from 'zod';
import type { GitlabProviderConfig } from '../../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { AT_ONCE, createForgeProvider, type FoundRepository, organizationsOf, seesNothing } from './forge.ts';
import { forgeTurn } from '../../forges/turn.ts';
import type { Provider, RepositoryName } from './provider.ts';
import { createRestClient, nextLink } from '../../forges/rest-client.ts';
import { basic, readProviderSecret } from '../../forges/secret.ts';

/** GitLab's description of a project. Without a token it has fewer fields. */
const project = z.object({
  id: z.int(),
  path_with_namespace: z.string(),
  default_branch: z.string().nullish(),
  archived: z.boolean().nullish(),
  forked_from_project: z.looseObject({}).nullish(),
  repository_access_level: z.string().nullish(),
  marked_for_deletion_on: z.string().nullish(),
});
type Project = z.infer<typeof project>;

const PAGING = {
  page: z.array(project),
  items: (page: Project[]) => page,
  next: (_page: Project[], headers: Headers) => nextLink(headers),
};

/** Separates the groups of a nested group in the project of an id: no group name contains it. */
const NESTED = ':';

/**
 * Repositories of GitLab. The top group (or user) is the organization and the groups below it are the project, so that
 * `acme/platform/db/migrations` is `<name>/acme/platform:db/migrations`. A named top group is requested directly, with
 * everything below it; a wildcard covers the memberships of the token's user.
 */
export function createGitlabProvider(config: GitlabProviderConfig, env: NodeJS.ProcessEnv): Provider {
  const { name, url, apiUrl = `${url}/api/v4`, archived, forks } = config;
  const token = (): string | null => readProviderSecret(env, config.tokenEnv, name);
  const turn = forgeTurn(config, token);
  const client = createRestClient({
    turn,
    provider: name,
    apiUrl,
    headers: () => {
      const given = token();
      return given === null ? {} : { authorization: `Bearer ${given}` };
    },
  });
  const requested = new URLSearchParams({
    ...(archived ? {} : { archived: 'false' }),
    order_by: 'id',
    sort: 'asc',
    per_page: '100',
  }).toString();

  async function ofGroup(group: string, signal: AbortSignal | undefined): Promise<Project[]> {
    const path = encodeURIComponent(group);
    const below = 'include_subgroups=true&with_shared=false';
    return (
      (await client.list(`/groups/${path}/projects?${below}&${requested}`, PAGING, signal)) ??
      (await client.list(`/users/${path}/projects?${requested}`, PAGING, signal)) ??
      []
    );
  }

  async function visible(signal: AbortSignal | undefined): Promise<Project[]> {
    if (token() === null) throw seesNothing(name);
    const found = await client.list(`/projects?membership=true&pagination=keyset&${requested}`, PAGING, signal);
    if (found !== null) return found;
    throw new LonghaulError('DiscoveryFailed', `Provider ${name} has no API at ${apiUrl}: check its address.`);
  }

  function isWanted(found: Project): boolean {
    const isFork = found.forked_from_project !== null && found.forked_from_project !== undefined;
    // deleted projects stay for some days under another name; a project without a repository has nothing to fetch
    const isThere = !found.marked_for_deletion_on && found.repository_access_level !== 'disabled';
    return isThere && (archived || found.archived !== true) && (forks || !isFork);
  }

  return createForgeProvider({
    name,
    url,
    turn,
    async list(patterns, signal) {
      const { named, open } = organizationsOf(patterns);
      const own = open ? await visible(signal) : [];
      // a group that the user is a member of may have more visible projects than the user's memberships
      const found = await pLimit(AT_ONCE).map(named, (group) => ofGroup(group, signal));
      return [...own, ...found.flat()].filter(isWanted).flatMap(foundIn);
    },
    async atName(sought, signal) {
      const found = await client.get(`/projects/${encodeURIComponent(pathOf(sought))}`, project, signal);
      return found && (foundIn(found)[0] ?? null);
    },
    async byNumber(number, _name, signal) {
      const found = await client.get(`/projects/${encodeURIComponent(number)}`, project, signal);
      return found && (foundIn(found)[0] ?? null);
    },
    async openWork(sought, signal) {
      const { gitlabOpenWork } = await import('./gitlab-work.ts');
      return gitlabOpenWork(client, pathOf(sought), token() !== null, signal);
    },
    gitAuthorization: () => {
      const given = token();
      return given === null ? null : basic('oauth2', given);
    },
  });
}

/** The repository, unless its path cannot be one of GitLab's. */
function foundIn({ id, path_with_namespace: full, default_branch: branch }: Project): FoundRepository[] {
  const [organization = '', ...rest] = full.split('/');
  const repository = rest.pop();
  if (repository === undefined || full.includes(NESTED)) return [];
  return [
    {
      organization,
      project: rest.length === 0 ? null : rest.join(NESTED),
      repository,
      path: [organization, ...rest, `${repository}.git`],
      defaultBranch: branch || null,
      number: String(id),
    },
  ];
}

function pathOf({ organization, project: groups, repository }: RepositoryName): string {
  return [organization, ...(groups?.split(NESTED) ?? []), repository].join('/');
}
