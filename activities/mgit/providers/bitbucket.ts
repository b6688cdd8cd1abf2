import pLimit from 'p-limit';
import { z } from 'zod';
import type { BitbucketProviderConfig } from '../../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { AT_ONCE, createForgeProvider, type FoundRepository, meantOf } from './forge.ts';
import { forgeTurn } from '../../forges/turn.ts';
import type { Provider } from './provider.ts';
import { createRestClient } from '../../forges/rest-client.ts';
import { basic, readProviderSecret } from '../../forges/secret.ts';

const repository = z.object({
  uuid: z.string().regex(/^\{[\w-]+\}$/),
  full_name: z.string(),
  mainbranch: z.object({ name: z.string() }).nullish(),
  parent: z.looseObject({}).nullish(),
});
type BitbucketRepository = z.infer<typeof repository>;

const PAGING = {
  page: z.object({ values: z.array(repository), next: z.string().optional() }),
  items: ({ values }: { values: BitbucketRepository[] }) => values,
  next: ({ next }: { next?: string | undefined }) => next ?? null,
};

/**
 * Repositories of Bitbucket Cloud, as `<name>/<workspace>/<repository>`, in the configured workspaces: Bitbucket no
 * longer lists a user's workspaces. Projects are not part of an address, nor of an id.
 */
export function createBitbucketProvider(config: BitbucketProviderConfig, env: NodeJS.ProcessEnv): Provider {
  const { name, url, workspaces, forks } = config;
  const token = (): string | null => readProviderSecret(env, config.tokenEnv, name);
  const turn = forgeTurn(config, token);
  const client = createRestClient({
    turn,
    provider: name,
    apiUrl: config.apiUrl,
    headers: () => {
      const given = token();
      if (given === null) return {};
      const user = readProviderSecret(env, config.usernameEnv, name);
      return { authorization: user === null ? `Bearer ${given}` : basic(user, given) };
    },
  });

  async function ofWorkspace(workspace: string, signal: AbortSignal | undefined): Promise<FoundRepository[]> {
    const found = await client.list(`/repositories/${encodeURIComponent(workspace)}?pagelen=100`, PAGING, signal);
    if (found === null) {
      throw new LonghaulError('DiscoveryFailed', `Provider ${name} has no workspace ${workspace}.`);
    }
    return found.filter(({ parent }) => forks || parent === null || parent === undefined).flatMap(foundIn);
  }

  async function at(workspace: string, slug: string, signal: AbortSignal | undefined): Promise<FoundRepository | null> {
    const path = `/repositories/${encodeURIComponent(workspace)}/${encodeURIComponent(slug)}`;
    const found = await client.get(path, repository, signal);
    return found && (foundIn(found)[0] ?? null);
  }

  return createForgeProvider({
    name,
    url,
    turn,
    async list(patterns, signal) {
      const asked = meantOf(workspaces, patterns);
      return (await pLimit(AT_ONCE).map(asked, (workspace) => ofWorkspace(workspace, signal))).flat();
    },
    async atName({ organization, project, repository: slug }, signal) {
      const workspace = workspaces.find((known) => known.toLowerCase() === organization.toLowerCase());
      return workspace === undefined || project !== null ? null : at(workspace, slug, signal);
    },
    async byNumber(number, { organization }, signal) {
      // it may have been transferred: try its own workspace first, then the others
      const others = workspaces.filter((known) => known.toLowerCase() !== organization.toLowerCase());
      for (const workspace of others.length < workspaces.length ? [organization, ...others] : others) {
        const found = await at(workspace, number, signal);
        if (found !== null) return found;
      }
      return null;
    },
    gitAuthorization: () => {
      const given = token();
      if (given === null) return null;
      // Atlassian's fixed user names for the two kinds of token
      return basic(config.usernameEnv === undefined ? 'x-token-auth' : 'x-bitbucket-api-token-auth', given);
    },
  });
}

function foundIn({ uuid, full_name: full, mainbranch }: BitbucketRepository): FoundRepository[] {
  const [workspace = '', slug = '', ...more] = full.split('/');
  if (more.length > 0) return [];
  return [
    {
      organization: workspace,
      project: null,
      repository: slug,
      path: [workspace, `${slug}.git`],
      defaultBranch: mainbranch?.name || null,
      number: uuid,
    },
  ];
}
