import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';
import type { ForgeTurn } from './turn.ts';
import { failureOfRefusal, type ForgeRefusal, waitOf } from './refusal.ts';

/** The address and credentials of a forge's API. */
export interface RestClientOptions {
  /** The provider's name in `longhaul.yaml`. */
  readonly provider: string;
  /** Base of the API, without a slash at its end. */
  readonly apiUrl: string;
  /** Headers of every request. Read for each request, so that a missing token fails the request. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Every request waits for a slot. */
  readonly turn: ForgeTurn;
}

/** How a forge splits a list into pages. */
export interface Paging<Page, Item> {
  readonly page: z.ZodType<Page>;
  readonly items: (page: Page) => readonly Item[];
  /** The address of the next page; only its query is used. Null on the last page. */
  readonly next: (page: Page, headers: Headers, at: URL) => string | URL | null;
}

/**
 * Reads a forge's API. Every failure is a `RateLimited`, an `AuthenticationFailed` or a `DiscoveryFailed`; requests go
 * only to the configured host.
 */
export interface RestClient {
  /** The value at a path; null when there is none (404). */
  get<Answer>(path: string, schema: z.ZodType<Answer>, signal: AbortSignal | undefined): Promise<Answer | null>;
  /** The items of all pages; null when there is no such list (404). */
  list<Page, Item>(path: string, paging: Paging<Page, Item>, signal: AbortSignal | undefined): Promise<Item[] | null>;
}

interface Answer {
  readonly body: unknown;
  readonly headers: Headers;
}

class RefusedError extends Error {
  readonly refusal: ForgeRefusal;

  constructor(refusal: ForgeRefusal) {
    super(refusal.said);
    this.refusal = refusal;
  }
}

/** Fields with messages in the error answers of the forges. */
const failure = z.object({
  message: z.string().optional(),
  error_description: z.string().optional(),
  error: z.union([z.string(), z.object({ message: z.string().optional() }), z.null()]).optional(),
});

/** Pauses before a request is repeated after a broken connection or a 5xx, in milliseconds. */
const PAUSES_MS = [1_000, 4_000];
/** A renamed repository is one redirect away. */
const MOST_REDIRECTS = 3;

/** Opens a client. Sends nothing before its first use. */
export function createRestClient({ provider, apiUrl, headers, turn }: RestClientOptions): RestClient {
  /** The answer to one request; failures that may pass are retried. */
  async function read(url: URL, signal: AbortSignal | undefined): Promise<Answer | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask(url, signal, 0);
      } catch (error) {
        signal?.throwIfAborted();
        const pause = PAUSES_MS[attempt];
        if (pause === undefined || !mayPass(error)) throw explained(error);
        await sleep(pause, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
      }
    }
  }

  async function ask(url: URL, signal: AbortSignal | undefined, hops: number): Promise<Answer | null> {
    const sent = headers();
    const { response, text } = await turn(async () => {
      const answered = await fetch(url.href, {
        headers: { accept: 'application/json', 'user-agent': 'longhaul', ...sent },
        redirect: 'manual',
        signal: signal ?? null,
      });
      return { response: answered, text: await answered.text() };
    }, signal);
    const { status } = response;
    const location = response.headers.get('location');
    if (status >= 300 && status < 400 && location !== null) {
      return ask(sentOn(url, location, hops), signal, hops + 1);
    }
    if (status === 404 && isJson(text)) return null;
    if (status === 404) {
      throw new LonghaulError('DiscoveryFailed', `Provider ${provider} has no API at ${apiUrl}: check its address.`);
    }
    if (!response.ok) throw new RefusedError({ provider, status, headers: response.headers, said: spoken(text, sent) });
    return { body: parsed(url, response, text), headers: response.headers };
  }

  function sentOn(from: URL, location: string, hops: number): URL {
    const to = URL.parse(location, from.href);
    if (to === null || hops >= MOST_REDIRECTS) {
      throw new LonghaulError('DiscoveryFailed', `Provider ${provider} redirects in circles: check its address.`);
    }
    if (to.hostname !== from.hostname) {
      throw new LonghaulError(
        'AuthenticationFailed',
        `Provider ${provider} redirects to ${to.hostname}, for a sign-in or because it has moved.`,
      );
    }
    // not rebuilt from parts: a path that begins with two slashes would be read as another host
    const sent = new URL(from);
    sent.pathname = to.pathname;
    sent.search = to.search;
    return sent;
  }

  function parsed(url: URL, response: Response, text: string): unknown {
    if (isJson(text)) return JSON.parse(text);
    // some forges, and many proxies, answer an unauthenticated request with a web page instead of an error
    const isPage = /html/i.test(response.headers.get('content-type') ?? '');
    throw new LonghaulError(
      isPage ? 'AuthenticationFailed' : 'DiscoveryFailed',
      isPage
        ? `Provider ${provider} answers with a web page: it requires a sign-in, or its address is wrong.`
        : `Provider ${provider} did not answer ${url.pathname} with JSON.`,
    );
  }

  function checked<Shape>(url: URL, schema: z.ZodType<Shape>, body: unknown): Shape {
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new LonghaulError(
      'DiscoveryFailed',
      `Provider ${provider} answered ${url.pathname} with an unexpected structure:` +
        `${issue?.path.join('.') || 'the answer'}: ${issue?.message}.`,
    );
  }

  function explained(error: unknown): LonghaulError {
    if (error instanceof LonghaulError) return error;
    if (error instanceof RefusedError) return failureOfRefusal(error.refusal);
    const { message, cause } = error as Error;
    const why = cause instanceof Error && cause.message ? cause.message : message;
    return new LonghaulError('DiscoveryFailed', `Provider ${provider} did not answer: ${redact(why)}`, {
      cause: error,
    });
  }

  return {
    async get(path, schema, signal) {
      const url = new URL(apiUrl + path);
      const answer = await read(url, signal);
      return answer && checked(url, schema, answer.body);
    },
    async list(path, { page: schema, items, next }, signal) {
      const found = [];
      const seen = new Set<string>();
      for (let url = new URL(apiUrl + path); ;) {
        const answer = await read(url, signal);
        if (answer === null && seen.size === 0) return null;
        if (answer === null || seen.has(url.search)) {
          throw new LonghaulError('DiscoveryFailed', `Provider ${provider} returned endless pages of ${url.pathname}.`);
        }
        seen.add(url.search);
        const page = checked(url, schema, answer.body);
        for (const item of items(page)) found.push(item);
        const following = next(page, answer.headers, url);
        if (following === null) return found;
        url = withQueryOf(url, following);
      }
    },
  };
}

/** The address of the next page in a `Link` header (RFC 8288). */
export function nextLink(headers: Headers): string | null {
  const links = headers.get('link')?.matchAll(/<([^>]*)>([^<]*)/g) ?? [];
  for (const [, address = '', rest = ''] of links) {
    if (/;\s*rel="?next"?/i.test(rest)) return address;
  }
  return null;
}

/** The same address with the query of another; without one when the other is invalid. */
function withQueryOf(url: URL, other: string | URL): URL {
  const changed = new URL(url);
  changed.search = URL.parse(String(other), url.href)?.search ?? '';
  return changed;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** True for a broken connection, and for a server error without a time to wait. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof RefusedError)) return !(error instanceof LonghaulError);
  const { status, headers } = error.refusal;
  return status >= 500 && waitOf(status, headers) === null;
}

/** The text of a refusal on one line, without the credentials that were sent. */
export function spoken(text: string, sent: Readonly<Record<string, string>>): string {
  let said = wordsOf(text);
  const [scheme, proof = ''] = sent['authorization']?.split(' ') ?? [];
  const secret = scheme === 'Basic' ? passwordOf(proof) : proof;
  if (secret !== '') said = said.replaceAll(proof, '***').replaceAll(secret, '***');
  return redact(said)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

function passwordOf(basic: string): string {
  const pair = Buffer.from(basic, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/** The error message of a forge's API; a web page has none. */
function wordsOf(text: string): string {
  if (/^\s*</.test(text)) return '';
  if (!isJson(text)) return text;
  const { data } = failure.safeParse(JSON.parse(text));
  const nested = typeof data?.error === 'object' ? data.error?.message : data?.error;
  return data?.message ?? data?.error_description ?? nested ?? text;
}
