import { createAppAuth } from '@octokit/auth-app';
import type { GithubProviderConfig } from '../../domain/config/providers.schema.ts';
import { CONTENT_LIMITS, GITHUB_LIMITS } from '../../domain/forge/forge-budget.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';
import { fingerprintOf, type ForgeAccount } from './account.ts';
import { createGithubClient, type GithubClient, isRequestError, type PageCache } from './github-client.ts';
import { type ForgeLine, forgeLines } from './line.ts';
import { failureOfStatus } from './refusal.ts';
import { readProviderSecret, readVariable } from './secret.ts';

/** GitHub with one account: its token, its budget, and clients that share them. */
export interface GithubConnection {
  /** What all requests share. Throws `AuthenticationFailed` when a secret is not set. */
  readonly open: () => OpenGithub;
  /** A client for one call: pagination drops a request's signal, so every call has its own. */
  readonly client: (signal?: AbortSignal) => GithubClient;
}

/** What all requests of an account share. */
export interface OpenGithub {
  /** The slots of git. */
  readonly git: ForgeLine;
  /** The current token; null for anonymous access. */
  readonly token: () => Promise<string | null>;
  readonly client: (signal: AbortSignal | undefined) => GithubClient;
}

/**
 * The connection of a provider. Opened on first use, because a secret may not be set. `pagesOf` gives the cache of
 * listings of the account with this fingerprint.
 */
export function githubConnection(
  config: GithubProviderConfig,
  env: NodeJS.ProcessEnv,
  pagesOf: (fingerprint: string) => PageCache,
): GithubConnection {
  const { name } = config;
  let opened: OpenGithub | null = null;

  function open(): OpenGithub {
    const account = accountOf(config, env);
    const { git, ...lines } = forgeLines(account);
    const shared = { baseUrl: apiUrl(config), ...lines, pages: pagesOf(account.fingerprint) };
    const token = config.app
      ? installationToken(config, env, createGithubClient({ ...shared, token: nothing, signal: undefined }))
      : () => Promise.resolve(readProviderSecret(env, config.tokenEnv, name));
    return { git, token, client: (signal) => createGithubClient({ ...shared, token, signal }) };
  }

  return {
    open: () => (opened ??= open()),
    client: (signal) => (opened ??= open()).client(signal),
  };
}

/** Converts GitHub's refusals to failures. */
export async function translated<Result>(
  provider: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof LonghaulError || !isRequestError(error)) throw error;
    throw failureOfStatus(provider, error.status, redact(error.message).slice(0, 300), error);
  }
}

/** Base of the REST API: GitHub's own, or the default path of an Enterprise Server. */
export function apiUrl({ url, apiUrl: given }: GithubProviderConfig): string {
  const base = (given ?? url).replace(/\/+$/, '');
  if (given !== undefined) return base;
  return /^https:\/\/(www\.)?github\.com$/i.test(base) ? 'https://api.github.com' : `${base}/api/v3`;
}

/** The account whose limits apply. An app's own tokens change every hour, so it is identified by its installation. */
function accountOf(config: GithubProviderConfig, env: NodeJS.ProcessEnv): ForgeAccount {
  const { app, name, tokenEnv, url } = config;
  const secrets = app
    ? `app ${readVariable(env, app.idEnv, name)} ${readVariable(env, app.installationIdEnv, name)}`
    : (readProviderSecret(env, tokenEnv, name) ?? 'anonymous');
  const {
    concurrency = GITHUB_LIMITS.concurrency,
    restPerMinute = GITHUB_LIMITS.restPerMinute,
    graphqlPerMinute = GITHUB_LIMITS.graphqlPerMinute,
    contentPerMinute = CONTENT_LIMITS.contentPerMinute,
    contentPerHour = CONTENT_LIMITS.contentPerHour,
  } = config.limits ?? {};
  const limits = { concurrency, restPerMinute, graphqlPerMinute, contentPerMinute, contentPerHour };
  return { host: new URL(url).host, fingerprint: fingerprintOf(secrets), limits };
}

function nothing(): Promise<null> {
  return Promise.resolve(null);
}

/** The token of an app installation, cached until it expires. */
function installationToken(
  { app, name }: GithubProviderConfig,
  env: NodeJS.ProcessEnv,
  { request }: GithubClient,
): () => Promise<string> {
  const read = (variable = ''): string => readVariable(env, variable, name);
  const auth = createAppAuth({
    appId: read(app?.idEnv),
    privateKey: read(app?.privateKeyEnv).replaceAll('\\n', '\n'),
    installationId: Number(read(app?.installationIdEnv)),
    request,
  });
  return async () => (await auth({ type: 'installation' })).token;
}
