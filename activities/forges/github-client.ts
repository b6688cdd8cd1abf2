import { setTimeout as pause } from 'node:timers/promises';
import { Octokit } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { type ForgeSaid, REST_POINTS } from '../../domain/forge/forge-budget.ts';
import type { ForgeAnswer, ForgeLine } from './line.ts';
import { DEFAULT_WAIT_MS, LONGEST_WAIT_MS, retryAfterMs } from './refusal.ts';

const Client = Octokit.plugin(paginateRest);

/** A client of GitHub's APIs within the budget of a token. */
export type GithubClient = InstanceType<typeof Client>;

/** A page of a listing as the forge sent it, without secrets. */
export interface CachedPage {
  readonly etag: string;
  /** The `Link` header with the address of the next page; null on the last one. */
  readonly link: string | null;
  readonly body: unknown;
}

/**
 * Cached pages of one token at one provider. A request with the page's ETag is answered "not modified", which costs
 * nothing.
 */
export interface PageCache {
  /** The cached page of an address; null when it is missing or damaged. */
  read(url: string): Promise<CachedPage | null>;
  /** Stores a page without credentials, replacing an older one. Rejects with errors of the file system. */
  write(url: string, page: CachedPage): Promise<void>;
}

/** Options of the client. */
export interface GithubClientOptions {
  /** Base of the REST API. */
  readonly baseUrl: string;
  readonly rest: ForgeLine;
  readonly graphql: ForgeLine;
  /** Requests that create content. */
  readonly content: ForgeLine;
  /** The cache of listings. */
  readonly pages: PageCache;
  readonly token: () => Promise<string | null>;
  readonly signal: AbortSignal | undefined;
}

/** Tries per request when the forge fails to answer, with growing pauses. */
const TRIES = 4;
const FIRST_PAUSE_MS = 500;
/** Timeout of a request without an answer. */
const SILENCE_MS = 60_000;
/** Requests for a renamed repository take two requests: the forge redirects them. */
const SENT_ON = /\/repos\/[^/]+\/[^/]+$/;

type Response = Awaited<ReturnType<GithubClient['request']>>;
type Outcome = { readonly response: Response } | { readonly error: RequestError };

/**
 * A client whose requests wait for a slot and use the current token. Those that read are retried when the forge fails;
 * one that writes is sent once.
 */
export function createGithubClient(options: GithubClientOptions): GithubClient {
  const { baseUrl, rest, graphql, content, pages, token, signal } = options;
  const client = new Client({ baseUrl, userAgent: 'longhaul', log: SILENT });

  client.hook.wrap('request', async (request, given) => {
    const { url, method } = client.request.endpoint(given);
    const isQuery = url.endsWith('/graphql');
    const isListing = method === 'GET' && new URL(url).searchParams.has('per_page');
    const isRead = method === 'GET' || isQuery;
    // a token whose answer is lost expires unused
    const isToken = url.endsWith('/access_tokens');
    const isCreating = !isRead && !isToken && method !== 'DELETE';
    const points = isRead ? REST_POINTS.read * (SENT_ON.test(url) ? 2 : 1) : REST_POINTS.write;

    const attempt = async (): Promise<Response> => {
      // before it takes a slot: an app requests its token first
      const secret = given.headers['authorization'] === undefined ? await token() : null;
      const cached = isListing ? await pages.read(url) : null;
      const silence = AbortSignal.timeout(
        typeof given.request?.['silenceMs'] === 'number' ? given.request['silenceMs'] : SILENCE_MS,
      );
      const headers = {
        ...given.headers,
        ...(secret === null ? {} : { authorization: `token ${secret}` }),
        ...(cached === null ? {} : { 'if-none-match': cached.etag }),
      };
      const once = { ...given.request, signal: signal ? AbortSignal.any([signal, silence]) : silence };
      const line = isQuery ? graphql : rest;
      const send = async (): Promise<ForgeAnswer<Outcome>> => {
        const answer = await answerOf(() => request({ ...given, headers, request: once }));
        // a write that was refused is not sent again from here
        return isRead || isToken ? answer : { ...answer, isRefused: false };
      };
      const made = (): Promise<Outcome> => line.run(points, send, signal);
      const outcome = isCreating
        ? await content.run(1, async () => ({ value: await made(), said: {} }), signal)
        : await made();
      if ('error' in outcome) {
        const { error } = outcome;
        if (error.status !== 304 || cached === null) throw error;
        return { url, status: 200, headers: cached.link === null ? {} : { link: cached.link }, data: cached.body };
      }
      const { etag, link = null } = outcome.response.headers;
      if (isListing && etag) await pages.write(url, { etag, link, body: outcome.response.data as unknown });
      return outcome.response;
    };

    for (let tries = 1; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        signal?.throwIfAborted();
        const mayRepeat = isRead || isToken;
        if (!mayRepeat || !isRequestError(error) || error.status < 500 || tries === TRIES) throw error;
        await pause(FIRST_PAUSE_MS * 3 ** (tries - 1), undefined, signal ? { signal } : {});
      }
    }
  });
  return client;
}

/** Thrown by the client for any unsuccessful status, and with status 500 when there was no answer. */
export interface RequestError extends Error {
  readonly status: number;
  /** The answer; missing when there was none. */
  readonly response?: { readonly headers: Headers };
}

type Headers = Readonly<Record<string, string | number | undefined>>;

/** True for a {@link RequestError}. */
export function isRequestError(error: unknown): error is RequestError {
  return error instanceof Error && typeof (error as { status?: unknown }).status === 'number';
}

/** A request's outcome, with the limits that the forge reported. */
async function answerOf(request: () => Response | Promise<Response>): Promise<ForgeAnswer<Outcome>> {
  try {
    const response = await request();
    const said = saidBy(response.headers);
    const { errors } = (response.data ?? {}) as { errors?: readonly { readonly type?: string }[] };
    const isRefused = Array.isArray(errors) && errors.some(({ type }) => type === 'RATE_LIMITED');
    return { value: { response }, said: isRefused ? refusalIn(said, response.headers) : said, isRefused };
  } catch (error) {
    if (!isRequestError(error)) throw error;
    const headers = error.response?.headers;
    if (headers === undefined) return { value: { error }, said: {} };
    const said = saidBy(headers);
    const isRefused = isRefusal(error, headers);
    return { value: { error }, said: isRefused ? refusalIn(said, headers) : said, isRefused };
  }
}

/** Milliseconds that the forge asks to wait; null when it does not ask. Without a time it is a minute. */
export function waitAskedBy(error: RequestError): number | null {
  const headers = error.response?.headers;
  if (headers === undefined || !isRefusal(error, headers)) return null;
  const { hourly, refused } = refusalIn(saidBy(headers), headers);
  return refused?.retryAfterMs ?? (hourly?.remaining === 0 ? hourly.resetInMs : DEFAULT_WAIT_MS);
}

/** True when the forge asks to wait, which 403 alone does not mean. */
function isRefusal({ status, message }: RequestError, headers: Headers): boolean {
  if (status === 429) return true;
  const isNamed = headers['retry-after'] !== undefined || String(headers['x-ratelimit-remaining']) === '0';
  return status === 403 && (isNamed || /rate limit/i.test(message));
}

function refusalIn(said: ForgeSaid, headers: Headers): ForgeSaid {
  const after = headers['retry-after'];
  if (after !== undefined) return { ...said, refused: { retryAfterMs: retryAfterMs(String(after)) } };
  // the hourly limit includes its reset time
  return said.hourly?.remaining === 0 ? said : { ...said, refused: { retryAfterMs: null } };
}

/** The hourly limit in an answer, by the forge's clock. */
function saidBy(headers: Headers): ForgeSaid {
  const header = (name: string): number => Number(headers[`x-ratelimit-${name}`] ?? Number.NaN);
  const [remaining, reset] = [header('remaining'), header('reset')];
  if (!Number.isFinite(remaining) || !Number.isFinite(reset)) return { hourly: null };
  const limit = Math.max(header('limit') || remaining, 1);
  const now = Date.parse(String(headers['date'])) || Date.now();
  return { hourly: { limit, remaining, resetInMs: Math.min(Math.max(reset * 1_000 - now, 0), LONGEST_WAIT_MS) } };
}

function silent(): void {
  // failures are thrown; the client's own log is not needed
}

const SILENT = { debug: silent, info: silent, warn: silent, error: silent };
