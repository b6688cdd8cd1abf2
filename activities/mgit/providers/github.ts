import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/core';
import type { OctokitOptions } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import pLimit from 'p-limit';
import type { GithubProviderConfig } from '../../../domain/config.schema.ts';
import { hasWildcard, type Pattern } from '../../../domain/catalog/pattern.ts';
import { type Repository, repositoryId } from '../../../domain/catalog/repository.ts';
import { LonghaulError } from '../../../domain/failures.ts';
import { withoutCredentials } from '../clone-url.ts';
import type { Provider, SoughtRepository } from './provider.ts';

/** What GitHub says of a repository, as far as it is read here. */
interface GithubRepository {
  readonly id?: number | bigint;
  readonly name: string;
  readonly owner: { readonly login: string };
  readonly clone_url?: string | null;
  readonly default_branch?: string | null;
  readonly archived?: boolean;
  readonly fork?: boolean;
}

const PAGE = { per_page: 100 };
/** Organizations that are asked at the same time; GitHub itself allows a hundred requests. */
const AT_ONCE = 8;

function silent(): void {
  // failures are thrown; nothing else of the client is of interest
}

const Client = Octokit.plugin(paginateRest, retry, throttling);
type Client = InstanceType<typeof Client>;

/**
 * Repositories of GitHub, of a GitHub Enterprise Server or of another forge with the same API. An organization that is
 * named is asked for; a wildcard stands for all that the token can see.
 */
export function createGithubProvider(config: GithubProviderConfig, env: NodeJS.ProcessEnv): Provider {
  const { name } = config;
  const base = config.url.replace(/\/+$/, '');
  const uidPrefix = `${new URL(base).host}:`;
  let auth: ClientAuth | null = null;

  // paginating forgets the signal of a request, so every call has a client of its own; they share limits and tokens
  const api = (signal?: AbortSignal): Client => createClient(apiUrl(config), (auth ??= authOf(config, env)), signal);

  async function ofOrganization(organization: string, signal?: AbortSignal): Promise<GithubRepository[]> {
    const client = api(signal);
    const owned = await client.paginate('GET /orgs/{org}/repos', { org: organization, ...PAGE }).catch(unless(404));
    const found =
      owned ??
      (await client.paginate('GET /users/{username}/repos', { username: organization, ...PAGE }).catch(unless(404)));
    return found ?? [];
  }

  async function visible(signal?: AbortSignal): Promise<GithubRepository[]> {
    const client = api(signal);
    if (config.app) return client.paginate('GET /installation/repositories', PAGE);
    if (config.tokenEnv === undefined) {
      throw new LonghaulError(
        'AuthenticationFailed',
        `Provider ${name} has no token, so nobody can say which organizations it sees: name one, or set tokenEnv.`,
      );
    }
    const [organizations, own] = await Promise.all([
      client.paginate('GET /user/orgs', PAGE),
      client.paginate('GET /user/repos', PAGE),
    ]);
    const limit = pLimit(AT_ONCE);
    const found = await limit.map(organizations, ({ login }) => ofOrganization(login, signal));
    return [...own, ...found.flat()];
  }

  function repositoryOf(found: GithubRepository): Repository {
    const organization = found.owner.login;
    const derived = `${base}/${organization}/${found.name}.git`;
    const given = withoutCredentials(found.clone_url ?? derived);
    return {
      id: repositoryId(name, organization, null, found.name),
      provider: name,
      organization,
      project: null,
      repository: found.name,
      // the token goes to the configured address only
      cloneUrl: URL.parse(given)?.origin === new URL(base).origin ? given : derived,
      defaultBranch: found.default_branch ?? null,
      ...(found.id === undefined ? {} : { uid: `${uidPrefix}${found.id}` }),
    };
  }

  /** What answers under a name, which a renamed or transferred repository does too. */
  async function atName(sought: SoughtRepository, signal?: AbortSignal): Promise<Repository | null> {
    if (sought.project !== null) return null;
    const request = signal ? { request: { signal } } : {};
    const { organization: owner, repository: repo } = sought;
    const answer = await api()
      .request('GET /repos/{owner}/{repo}', { owner, repo, ...request })
      .catch(unless(404));
    return answer && repositoryOf(answer.data);
  }

  /** The repository with this number, for a name that was given to nobody but is not sent on any more. */
  async function byUid(uid: string | undefined, signal?: AbortSignal): Promise<Repository | null> {
    if (!uid?.startsWith(uidPrefix)) return null;
    const request = signal ? { request: { signal } } : {};
    const answer = await api()
      .request('GET /repositories/{repository_id}', { repository_id: uid.slice(uidPrefix.length), ...request })
      .catch(unless(404));
    return answer && repositoryOf(answer.data as GithubRepository);
  }

  return {
    name,
    list: (patterns, signal) =>
      translated(name, signal, async () => {
        const named = organizationsOf(patterns);
        const limit = pLimit(AT_ONCE);
        const found =
          named === null
            ? await visible(signal)
            : (await limit.map(named, (organization) => ofOrganization(organization, signal))).flat();
        const outside = named === null ? organizationsOf(patterns.filter(isNamed)) : [];
        const seen = new Set(found.map(({ owner }) => owner.login.toLowerCase()));
        for (const organization of outside ?? []) {
          if (!seen.has(organization)) found.push(...(await ofOrganization(organization, signal)));
        }
        return found
          .filter(({ archived, fork }) => (config.archived || !archived) && (config.forks || !fork))
          .map(repositoryOf);
      }),
    find: (sought, signal) =>
      translated(name, signal, async () => {
        const found = await atName(sought, signal);
        // a renamed repository answers under its new name, which is another id
        const asked = repositoryId(name, sought.organization, null, sought.repository);
        return found?.id.toLowerCase() === asked.toLowerCase() ? found : null;
      }),
    locate: (wanted, signal) =>
      translated(name, signal, () =>
        pLimit(AT_ONCE).map(
          wanted,
          async (sought) => (await atName(sought, signal)) ?? (await byUid(sought.uid, signal)),
        ),
      ),
    credentials: () =>
      translated(name, undefined, async () => {
        const token = config.app ? await installationToken(api()) : tokenOf(config, env);
        if (token === null) return [];
        const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
        return [[`http.${base}/.extraHeader`, `Authorization: Basic ${basic}`]];
      }),
  };
}

/** Base of the REST API: GitHub's own, or the place where an Enterprise Server has it. */
function apiUrl({ url, apiUrl: given }: GithubProviderConfig): string {
  const base = (given ?? url).replace(/\/+$/, '');
  if (given !== undefined) return base;
  return /^https:\/\/(www\.)?github\.com$/i.test(base) ? 'https://api.github.com' : `${base}/api/v3`;
}

type ClientAuth = Pick<OctokitOptions, 'auth' | 'authStrategy'>;

/** How clients prove who they are. The installations of an app share one token until it expires. */
function authOf(config: GithubProviderConfig, env: NodeJS.ProcessEnv): ClientAuth {
  const { app, name } = config;
  if (!app) return { auth: tokenOf(config, env) ?? undefined };
  const auth = {
    appId: secret(env, app.idEnv, name),
    privateKey: secret(env, app.privateKeyEnv, name).replaceAll('\\n', '\n'),
    installationId: Number(secret(env, app.installationIdEnv, name)),
  };
  const { auth: shared } = createClient(apiUrl(config), { authStrategy: createAppAuth, auth }, undefined);
  return { authStrategy: () => shared };
}

function createClient(baseUrl: string, auth: ClientAuth, signal: AbortSignal | undefined): Client {
  return new Client({
    baseUrl,
    userAgent: 'longhaul',
    ...auth,
    ...(signal ? { request: { signal: plainAbort(signal) } } : {}),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    retry: { retries: 2, doNotRetry: [400, 401, 403, 404, 410, 422, 429, 451] },
    // the flow waits, where everybody can see it, not the client
    throttle: { id: baseUrl, onRateLimit: () => false, onSecondaryRateLimit: () => false },
  });
}

/** The same signal without its reason: the client tries again after any error that is not an `AbortError`. */
function plainAbort(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  signal.addEventListener('abort', () => controller.abort(), { once: true });
  return controller.signal;
}

function tokenOf({ name, tokenEnv }: GithubProviderConfig, env: NodeJS.ProcessEnv): string | null {
  return tokenEnv === undefined ? null : secret(env, tokenEnv, name);
}

function secret(env: NodeJS.ProcessEnv, variable: string, provider: string): string {
  const value = env[variable]?.trim();
  if (value) return value;
  throw new LonghaulError(
    'AuthenticationFailed',
    `The environment variable ${variable} of provider ${provider} is not set.`,
  );
}

async function installationToken(client: Client): Promise<string> {
  const { token } = (await client.auth({ type: 'installation' })) as { token: string };
  return token;
}

function isNamed({ organization }: Pattern): boolean {
  return !hasWildcard(organization);
}

/** The organizations that all patterns name; null when one of them leaves it open. */
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

/** What GitHub's refusals mean. */
async function translated<Result>(
  provider: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof LonghaulError || !isRequestError(error)) throw error;
    const { status } = error;
    const said = error.message.slice(0, 300);
    const wait = status === 403 || status === 429 ? waitOf(error) : null;
    if (wait !== null) {
      throw new LonghaulError(
        'RateLimited',
        `Provider ${provider} asks to wait ${Math.ceil(wait / 1_000)} s: ${said}`,
        {
          cause: error,
          retryAfterMs: wait,
        },
      );
    }
    if (status === 401 || status === 403) {
      throw new LonghaulError('AuthenticationFailed', `Provider ${provider} refused the token (${status}): ${said}`, {
        cause: error,
      });
    }
    throw new LonghaulError('DiscoveryFailed', `Provider ${provider} did not answer (${status}): ${said}`, {
      cause: error,
    });
  }
}

interface RequestError extends Error {
  readonly status: number;
  readonly response?: { readonly headers: Readonly<Record<string, string | number | undefined>> };
}

function isRequestError(error: unknown): error is RequestError {
  return error instanceof Error && typeof (error as { status?: unknown }).status === 'number';
}

/** Milliseconds that a rate limit asks to wait for; null when this is no rate limit. */
function waitOf({ status, message, response }: RequestError): number | null {
  const headers = response?.headers ?? {};
  if (headers['retry-after'] !== undefined) return Math.max(Number(headers['retry-after']) * 1_000, 1_000);
  if (String(headers['x-ratelimit-remaining']) === '0') {
    return Math.max(Number(headers['x-ratelimit-reset']) * 1_000 - Date.now(), 1_000) + 1_000;
  }
  return status === 429 || /rate limit/i.test(message) ? 60_000 : null;
}
