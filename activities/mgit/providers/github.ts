import pLimit from 'p-limit';
import type { GithubProviderConfig } from '../../../domain/config/providers.schema.ts';
import { hasWildcard, matchesOrganization, type Pattern } from '../../../domain/git/pattern.ts';
import type { Head } from '../../../domain/git/head.ts';
import { type Repository, type RepositoryAddress, repositoryId } from '../../../domain/git/repository.ts';
import { withoutCredentials } from '../../git/clone-url.ts';
import { createPageCache } from '../page-cache.ts';
import { nameOf } from '../whereabouts.ts';
import { AT_ONCE, seesNothing } from './forge.ts';
import { githubConnection, translated } from '../../forges/github-connection.ts';
import { askHeads } from './github-heads.ts';
import { listByGraphql } from './github-listing.ts';
import type { ListedRepository, Provider, SoughtRepository } from './provider.ts';
import { basic } from '../../forges/secret.ts';

/** The used fields of GitHub's description of a repository. */
interface GithubRepository {
  readonly id?: number | bigint;
  readonly name: string;
  readonly owner: { readonly login: string };
  readonly clone_url?: string | null;
  readonly default_branch?: string | null;
  readonly archived?: boolean;
  readonly fork?: boolean;
  readonly head?: Head;
}

const PAGE = { per_page: 100 };

/**
 * Repositories of GitHub, of a GitHub Enterprise Server or of another forge with the same API. A named organization is
 * requested directly; a wildcard covers everything that the token can see.
 */
export function createGithubProvider(config: GithubProviderConfig, env: NodeJS.ProcessEnv, cacheDir: string): Provider {
  const { name } = config;
  const base = config.url.replace(/\/+$/, '');
  const uidPrefix = `${new URL(base).host}:`;
  /** GraphQL requires a token. */
  const isAnonymous = config.tokenEnv === undefined && !config.app;
  const { open, client: api } = githubConnection(config, env, (fingerprint) =>
    createPageCache(cacheDir, name, fingerprint),
  );

  async function ofOrganization(organization: string, signal?: AbortSignal): Promise<GithubRepository[]> {
    const client = api(signal);
    const owned = await client.paginate('GET /orgs/{org}/repos', { org: organization, ...PAGE }).catch(unless(404));
    const found =
      owned ??
      (await client.paginate('GET /users/{username}/repos', { username: organization, ...PAGE }).catch(unless(404)));
    return found ?? [];
  }

  /**
   * Lists an organization that one of these patterns matches; with its heads if it is matched as a whole and GraphQL
   * returns them.
   */
  function listerWithHeads(patterns: readonly Pattern[], signal?: AbortSignal): Lister {
    const whole = patterns.filter(({ repository }) => repository === '*');
    return async (organization) => {
      // for a part of an organization, unchanged REST pages are cheaper: they are free
      const isWhole = !isAnonymous && whole.some((pattern) => matchesOrganization(pattern, organization));
      const listed = isWhole ? await listByGraphql(api(signal), uidPrefix, organization) : null;
      return listed ?? ofOrganization(organization, signal);
    };
  }

  async function visible(list: Lister, signal?: AbortSignal): Promise<GithubRepository[]> {
    const client = api(signal);
    if (config.app) return client.paginate('GET /installation/repositories', PAGE);
    if (config.tokenEnv === undefined) throw seesNothing(name);
    const [organizations, own] = await Promise.all([
      client.paginate('GET /user/orgs', PAGE),
      client.paginate('GET /user/repos', PAGE),
    ]);
    const limit = pLimit(AT_ONCE);
    const found = await limit.map(organizations, ({ login }) => list(login));
    return [...own, ...found.flat()];
  }

  function repositoryOf(found: GithubRepository): ListedRepository {
    const organization = found.owner.login;
    const derived = `${base}/${organization}/${found.name}.git`;
    const given = withoutCredentials(found.clone_url ?? derived);
    return {
      id: repositoryId(name, organization, null, found.name),
      provider: name,
      organization,
      project: null,
      repository: found.name,
      // the token is sent only to the configured address
      cloneUrl: URL.parse(given)?.origin === new URL(base).origin ? given : derived,
      defaultBranch: found.default_branch ?? null,
      ...(found.id === undefined ? {} : { uid: `${uidPrefix}${found.id}` }),
      ...(found.head ? { head: found.head } : {}),
    };
  }

  /** What GitHub returns for a name; a renamed or transferred repository answers too. */
  async function atName(sought: SoughtRepository, signal?: AbortSignal): Promise<Repository | null> {
    if (sought.project !== null) return null;
    const { organization: owner, repository: repo } = sought;
    const answer = await api(signal).request('GET /repos/{owner}/{repo}', { owner, repo }).catch(unless(404));
    return answer && repositoryOf(answer.data);
  }

  /** The repository with this numeric id, for a name that is unused and no longer redirected. */
  async function byUid(uid: string | undefined, signal?: AbortSignal): Promise<Repository | null> {
    if (!uid?.startsWith(uidPrefix)) return null;
    const answer = await api(signal)
      .request('GET /repositories/{repository_id}', { repository_id: uid.slice(uidPrefix.length) })
      .catch(unless(404));
    return answer && repositoryOf(answer.data as GithubRepository);
  }

  /** True when git finds the repository at the address of its name. */
  function isHere({ id, cloneUrl }: RepositoryAddress): boolean {
    const { organization, project, repository } = nameOf(id);
    const expected = `${base}/${organization}/${repository}.git`;
    return project === null && cloneUrl.toLowerCase() === expected.toLowerCase();
  }

  /** The repositories of the organizations that the patterns name, or all visible ones for a wildcard. */
  async function allOf(patterns: readonly Pattern[], list: Lister, signal?: AbortSignal): Promise<ListedRepository[]> {
    const named = organizationsOf(patterns);
    const limit = pLimit(AT_ONCE);
    const found = named === null ? await visible(list, signal) : (await limit.map(named, list)).flat();
    const outside = named === null ? organizationsOf(patterns.filter(isNamed)) : [];
    const seen = new Set(found.map(({ owner }) => owner.login.toLowerCase()));
    for (const organization of outside ?? []) {
      if (!seen.has(organization)) found.push(...(await list(organization)));
    }
    return found
      .filter(({ archived, fork }) => (config.archived || !archived) && (config.forks || !fork))
      .map(repositoryOf);
  }

  return {
    name,
    list: (patterns, signal) =>
      translated(name, signal, () => allOf(patterns, (organization) => ofOrganization(organization, signal), signal)),
    listWithHeads: (patterns, signal) =>
      translated(name, signal, () => allOf(patterns, listerWithHeads(patterns, signal), signal)),
    find: (sought, signal) =>
      translated(name, signal, async () => {
        const found = await atName(sought, signal);
        // a renamed repository is returned under its new name, which is another id
        const asked = repositoryId(name, sought.organization, null, sought.repository);
        return found?.id.toLowerCase() === asked.toLowerCase() ? found : null;
      }),
    locate: (requested, signal) =>
      translated(name, signal, () =>
        pLimit(AT_ONCE).map(
          requested,
          async (sought) => (await atName(sought, signal)) ?? (await byUid(sought.uid, signal)),
        ),
      ),
    heads: (repositories, signal) =>
      translated(name, signal, async () => {
        // GraphQL does not know what git finds at another address
        const known = isAnonymous ? [] : repositories.filter(isHere);
        const names = known.map(({ id }) => ({ id, owner: nameOf(id).organization, name: nameOf(id).repository }));
        return names.length === 0 ? new Map() : askHeads(api(signal), base, uidPrefix, names);
      }),
    openWork: (sought, signal) =>
      translated(name, signal, async () => {
        if (sought.project !== null) return null;
        const { githubOpenWork } = await import('./github-work.ts');
        return githubOpenWork(api(signal), sought, config.tokenEnv !== undefined && !config.app);
      }),
    turn: (work, signal) => open().git.run(0, async () => ({ value: await work(), said: {} }), signal),
    credentials: () =>
      translated(name, undefined, async () => {
        const token = await open().token();
        if (token === null) return [];
        return [[`http.${base}/.extraHeader`, `Authorization: ${basic('x-access-token', token)}`]];
      }),
  };
}

/** Lists an organization or user. */
type Lister = (organization: string) => Promise<readonly GithubRepository[]>;

function isNamed({ organization }: Pattern): boolean {
  return !hasWildcard(organization);
}

/** The organizations that all patterns name; null when one of them has a wildcard organization. */
function organizationsOf(patterns: readonly Pattern[]): string[] | null {
  if (!patterns.every(isNamed)) return null;
  return [...new Set(patterns.map(({ organization }) => organization))];
}

function unless(status: number): (error: unknown) => null {
  return (error) => {
    if ((error as { status?: number }).status === status) return null;
    throw error;
  };
}
