import pLimit from 'p-limit';
import { z } from 'zod';
import type { AzureDevopsProviderConfig } from '../../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { AT_ONCE, createForgeProvider, type FoundRepository, meantOf } from './forge.ts';
import { forgeTurn } from '../../forges/turn.ts';
import type { Provider } from './provider.ts';
import { createRestClient } from '../../forges/rest-client.ts';
import { basic, readProviderSecret } from '../../forges/secret.ts';

const repository = z.object({
  id: z.string().min(1),
  name: z.string(),
  project: z.object({ name: z.string() }),
  defaultBranch: z.string().nullish(),
  isDisabled: z.boolean().nullish(),
  isFork: z.boolean().nullish(),
});
type AzureRepository = z.infer<typeof repository>;

const PAGING = {
  page: z.object({ value: z.array(repository) }),
  items: ({ value }: { value: AzureRepository[] }) => value,
  next: (_page: unknown, headers: Headers, at: URL): URL | null => {
    const token = headers.get('x-ms-continuationtoken');
    if (!token) return null;
    const next = new URL(at);
    next.searchParams.set('continuationToken', token);
    return next;
  },
};

const VERSION = 'api-version=7.1';

/**
 * Repositories of Azure DevOps, as `<name>/<organization>/<project>/<repository>`, in the configured organizations. A
 * disabled repository cannot be fetched and is not listed.
 */
export function createAzureDevopsProvider(config: AzureDevopsProviderConfig, env: NodeJS.ProcessEnv): Provider {
  const { name, url, organizations, forks } = config;
  const authorization = (): string | null => {
    const token = readProviderSecret(env, config.tokenEnv, name);
    return token === null ? null : basic('', token);
  };
  const turn = forgeTurn(config, authorization);
  const client = createRestClient({
    turn,
    provider: name,
    apiUrl: url,
    headers: () => {
      const given = authorization();
      // answer with an error instead of a sign-in page
      return { 'x-tfs-fedauthredirect': 'Suppress', ...(given === null ? {} : { authorization: given }) };
    },
  });

  async function ofOrganization(organization: string, signal: AbortSignal | undefined): Promise<FoundRepository[]> {
    const path = `/${encodeURIComponent(organization)}/_apis/git/repositories?${VERSION}`;
    const found = await client.list(path, PAGING, signal);
    if (found === null) {
      throw new LonghaulError('DiscoveryFailed', `Provider ${name} has no organization ${organization} at ${url}.`);
    }
    return found
      .filter(({ isDisabled, isFork }) => !isDisabled && (forks || !isFork))
      .map((one) => foundIn(organization, one));
  }

  function configured(organization: string): string | undefined {
    return organizations.find((known) => known.toLowerCase() === organization.toLowerCase());
  }

  return createForgeProvider({
    name,
    url,
    turn,
    async list(patterns, signal) {
      const asked = meantOf(organizations, patterns);
      return (await pLimit(AT_ONCE).map(asked, (organization) => ofOrganization(organization, signal))).flat();
    },
    async atName({ organization: asked, project, repository: repo }, signal) {
      const organization = configured(asked);
      if (organization === undefined || project === null) return null;
      const segments = [organization, project, '_apis', 'git', 'repositories', repo].map(encodeURIComponent);
      const found = await client.get(`/${segments.join('/')}?${VERSION}`, repository, signal);
      return found && foundIn(organization, found);
    },
    async byNumber(number, { organization: asked }, signal) {
      const organization = configured(asked);
      if (organization === undefined) return null;
      const segments = [organization, '_apis', 'git', 'repositories', number].map(encodeURIComponent);
      const found = await client.get(`/${segments.join('/')}?${VERSION}`, repository, signal);
      return found && foundIn(organization, found);
    },
    gitAuthorization: authorization,
  });
}

function foundIn(organization: string, { id, name, project, defaultBranch }: AzureRepository): FoundRepository {
  return {
    organization,
    project: project.name,
    repository: name,
    path: [organization, project.name, '_git', name],
    defaultBranch: defaultBranch?.replace(/^refs\/heads\//, '') || null,
    number: id,
  };
}
