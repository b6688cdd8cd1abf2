import { setTimeout as sleep } from 'node:timers/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { messageOf } from '../../../platform/error-code.ts';
import { waitOf } from '../../forges/refusal.ts';
import type { PageCache } from '../../forges/github-client.ts';

/** Asks one registry. */
export interface RegistryClient {
  /**
   * What `parse` makes of the answer at an address; null when there is none (404, 410). Answers are kept with their
   * ETag, as `parse` made them: one that has not changed is not sent again. Failures that may pass are tried again.
   * Throws `RegistryAnswerError` when this answer cannot be used, and `DiscoveryFailed` when the registry fails.
   */
  get<Answer>(url: string, accept: string, parse: (text: string) => Answer): Promise<Answer | null>;
}

/** Options of a client. */
export interface RegistryClientOptions {
  /** For messages. */
  readonly registry: string;
  readonly pages: PageCache;
  /** Ends the requests. */
  readonly signal?: AbortSignal | undefined;
  /** Waits before a request is repeated. @default a timer */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** An answer that cannot be used. Other packages of the same registry may be asked for. */
export class RegistryAnswerError extends Error {}

/** The pauses before a request is repeated, in milliseconds. */
const PAUSES_MS = [500, 2_000, 8_000];
/** A registry that asks for a longer pause is skipped. */
const LONGEST_PAUSE_MS = 60_000;
const SILENCE_MS = 30_000;
/** The largest answers of npm have some tens of megabytes. */
const MOST_BYTES = 64 * 1024 * 1024;

type Tried<Answer> = { readonly answer: Answer | null } | { readonly again: string; readonly afterMs: number | null };

/** Opens a client. Credentials in addresses are sent as a header, and only to their host. */
export function createRegistryClient({ registry, pages, signal, pause }: RegistryClientOptions): RegistryClient {
  const wait = pause ?? ((ms: number): Promise<void> => sleep(ms, undefined, signal ? { signal } : {}));

  async function attempt<Answer>(url: URL, accept: string, parse: (text: string) => Answer): Promise<Tried<Answer>> {
    const address = new URL(url);
    address.username = '';
    address.password = '';
    // the kind of answer is a part of what was asked
    const key = `${address.href} ${accept}`;
    const cached = await pages.read(key);
    const silence = AbortSignal.timeout(SILENCE_MS);
    const response = await fetch(address, {
      headers: {
        accept,
        'user-agent': 'longhaul',
        ...authorization(url),
        ...(cached === null ? {} : { 'if-none-match': cached.etag }),
      },
      signal: signal ? AbortSignal.any([signal, silence]) : silence,
    });
    const { status } = response;
    if (status === 304 && cached !== null) return { answer: cached.body as Answer };
    if (status !== 200) await response.body?.cancel();
    // a module proxy says 410 for what it knows to be gone
    if (status === 404 || status === 410) return { answer: null };
    if (status === 429 || status >= 500)
      return { again: `it answered ${status}`, afterMs: waitOf(status, response.headers) };
    if (status !== 200) throw failed(`it answered ${status}`);
    const answer = parse(await textOf(response));
    const etag = response.headers.get('etag');
    if (etag !== null) await pages.write(key, { etag, link: null, body: answer });
    return { answer };
  }

  function failed(why: string, cause?: unknown): LonghaulError {
    return new LonghaulError('DiscoveryFailed', `The registry ${registry} was not read: ${redact(why)}.`, { cause });
  }

  return {
    async get(url, accept, parse) {
      for (let tries = 0; ; tries++) {
        let why: string;
        let cause: unknown;
        let afterMs: number | null = null;
        try {
          const tried = await attempt(new URL(url), accept, parse);
          if ('answer' in tried) return tried.answer;
          ({ again: why, afterMs } = tried);
        } catch (error) {
          signal?.throwIfAborted();
          if (error instanceof LonghaulError || error instanceof RegistryAnswerError) throw error;
          const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
          [why, cause] = [messageOf(reason), error];
        }
        const next = PAUSES_MS[tries];
        if (next === undefined || (afterMs ?? 0) > LONGEST_PAUSE_MS) throw failed(why, cause);
        await wait(Math.max(next, afterMs ?? 0));
      }
    },
  };
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** The text of an answer, which may say that it is shorter than it is. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MOST_BYTES) throw new RegistryAnswerError(`the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
