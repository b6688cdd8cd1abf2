import pLimit from 'p-limit';
import { z } from 'zod';
import type { GiteaProviderConfig } from '../../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { AT_ONCE, createForgeProvider, type FoundRepository, organizationsOf, seesNothing } from './forge.ts';
import { forgeTurn } from '../../forges/turn.ts';
import type { Provider } from './provider.ts';
import { createRestClient, nextLink } from '../../forges/rest-client.ts';
import { basic, readProviderSecret } from '../../forges/secret.ts';

const repository = z.object({
  id: z.int(),
  name: z.string(),
  owner: z.object({ login: z.string() }),
  default_branch: z.string().nullish(),
  archived: z.boolean(),
  fork: z.boolean(),
});
type GiteaRepository = z.infer<typeof repository>;

const organization = z.object({ name: z.string() });

/** Gitea's default maximum page size. */
const PAGE = 'limit=50';

/**
 * Repositories of a Gitea or Forgejo. A named organization or user is requested directly; a wildcard covers what the
 * token's user owns and the user's organizations.
 */
export function createGiteaProvider(config: GiteaProviderConfig, env: NodeJS.ProcessEnv): Provider {
  const { name, url, archived, forks } = config;
  const token = (): string | null => readProviderSecret(env, config.tokenEnv, name);
  const turn = forgeTurn(config, token);
  const client = createRestClient({
    turn,
    provider: name,
    apiUrl: `${url}/api/v1`,
    headers: () => {
      const given = token();
      return given === null ? {} : { authorization: `Bearer ${given}` };
    },
  });
  const repositories = { page: z.array(repository), items: (page: GiteaRepository[]) => page, next: following };
  const organizations = {
    page: z.array(organization),
    items: (page: z.infer<typeof organization>[]) => page.map((entry) => entry.name),
    next: following,
  };

  async function ofOwner(owner: string, signal: AbortSignal | undefined): Promise<GiteaRepository[]> {
    const path = encodeURIComponent(owner);
    return (
      (await client.list(`/orgs/${path}/repos?${PAGE}`, repositories, signal)) ??
      (await client.list(`/users/${path}/repos?${PAGE}`, repositories, signal)) ??
      []
    );
  }

  async function visible(signal: AbortSignal | undefined): Promise<{ owners: string[]; own: GiteaRepository[] }> {
    if (token() === null) throw seesNothing(name);
    const [owners, own] = await Promise.all([
      client.list(`/user/orgs?${PAGE}`, organizations, signal),
      client.list(`/user/repos?${PAGE}`, repositories, signal),
    ]);
    if (owners === null || own === null) {
      throw new LonghaulError('DiscoveryFailed', `Provider ${name} has no API at ${url}/api/v1: check its address.`);
    }
    return { owners, own };
  }

  return createForgeProvider({
    name,
    url,
    turn,
    async list(patterns, signal) {
      const { named, open } = organizationsOf(patterns);
      const { owners, own } = open ? await visible(signal) : { owners: [], own: [] };
      const seen = new Set(owners.map((owner) => owner.toLowerCase()));
      const asked = [...owners, ...named.filter((owner) => !seen.has(owner))];
      const found = await pLimit(AT_ONCE).map(asked, (owner) => ofOwner(owner, signal));
      return [...own, ...found.flat()]
        .filter((one) => (archived || !one.archived) && (forks || !one.fork))
        .map(foundIn);
    },
    async atName({ organization: owner, project, repository: repo }, signal) {
      if (project !== null) return null;
      const path = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}`;
      const found = await client.get(path, repository, signal);
      return found && foundIn(found);
    },
    async byNumber(number, _name, signal) {
      const found = await client.get(`/repositories/${encodeURIComponent(number)}`, repository, signal);
      return found && foundIn(found);
    },
    async openWork(sought, signal) {
      if (sought.project !== null) return null;
      const { giteaOpenWork } = await import('./gitea-work.ts');
      return giteaOpenWork(client, sought, token() !== null, signal);
    },
    gitAuthorization: () => {
      const given = token();
      // the user name is ignored when a token is given
      return given === null ? null : basic('x-access-token', given);
    },
  });
}

function foundIn({ id, name, owner, default_branch: branch }: GiteaRepository): FoundRepository {
  return {
    organization: owner.login,
    project: null,
    repository: name,
    path: [owner.login, `${name}.git`],
    defaultBranch: branch || null,
    number: String(id),
  };
}

function following(_page: unknown, headers: Headers): string | null {
  return nextLink(headers);
}
