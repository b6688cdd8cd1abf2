import { z } from 'zod';
import type { GithubProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';
import type { Signal } from './forge-requests.ts';
import { isRequestError, type PageCache, type RequestError, waitAskedBy } from './github-client.ts';
import { githubConnection, translated } from './github-connection.ts';
import { failureOfWrite, type ForgeClient, type ForgeWrite, lostAnswer } from './forge-client.ts';

/** Timeout of an upload without an answer: a worker's network may be slow. */
const UPLOAD_MS = 15 * 60_000;

/** What a retry looks for must be what is there now. */
const NO_PAGES: PageCache = { read: () => Promise.resolve(null), write: () => Promise.resolve() };

/** A client of GitHub's REST API that reads and writes, with the account and budget of a provider. */
export function createGithubWriter(config: GithubProviderConfig, env: NodeJS.ProcessEnv): ForgeClient {
  const { name } = config;
  const connection = githubConnection(config, env, () => NO_PAGES);

  return {
    get: (path, schema, signal) =>
      translated(name, signal, async () => {
        const client = connection.client(signal);
        const answer = await client.request(`GET ${path}`).catch((error: unknown) => {
          if (isRequestError(error) && error.status === 404) return null;
          throw error;
        });
        return answer && readable(name, path, answer.data, schema);
      }),
    items: (path, schema, signal) =>
      translated(name, signal, async () => {
        const client = connection.client(signal);
        const found = await client.paginate(`GET ${path}`, { per_page: 100 }).catch((error: unknown) => {
          if (isRequestError(error) && error.status === 404) return null;
          throw error;
        });
        return found && readable(name, path, found, z.array(schema));
      }),
    async send(write, schema, signal) {
      const { method, path, body, file, base = '' } = write;
      const stream = await file?.open();
      const content = file && { 'content-type': file.contentType, 'content-length': String(file.size) };
      try {
        const client = connection.client(signal);
        const answer: { readonly status: number; readonly data: unknown } = await client.request({
          method,
          url: `${base}${path}`,
          headers: content ?? {},
          request: { redirect: 'manual', ...(file ? { silenceMs: UPLOAD_MS } : {}) },
          ...(stream ? { data: stream } : body === undefined ? {} : { data: body }),
        });
        if (answer.status > 299)
          throw failureOfWrite(write, { provider: name, status: 410, said: 'the repository has moved' });
        return done(write, name, answer.data, schema);
      } catch (error) {
        throw failureOf(write, name, error, signal);
      } finally {
        stream?.destroy();
      }
    },
  };
}

/** The answer to a write that was done. One that cannot be read counts as lost. */
function done<Answer>(write: ForgeWrite, provider: string, data: unknown, schema: z.ZodType<Answer>): Answer {
  const result = schema.safeParse(data === '' ? undefined : data);
  if (result.success) return result.data;
  throw lostAnswer(write, provider, 'its answer cannot be read', result.error);
}

function readable<Answer>(provider: string, path: string, data: unknown, schema: z.ZodType<Answer>): Answer {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new LonghaulError('DiscoveryFailed', `Provider ${provider} answered ${path} with an unexpected structure.`, {
    cause: result.error,
  });
}

function failureOf(write: ForgeWrite, provider: string, error: unknown, signal: Signal): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof LonghaulError || !isRequestError(error)) return error;
  const said = wordsOf(error);
  if (error.response === undefined) return lostAnswer(write, provider, said, error);
  const wait = waitAskedBy(error);
  if (wait !== null) {
    const message = `Provider ${provider} asks to wait ${Math.ceil(wait / 1_000)} s: ${said}`;
    return new LonghaulError('RateLimited', message, { retryAfterMs: wait, cause: error });
  }
  const { headers } = error.response;
  const accepts = headers['x-accepted-github-permissions'] ?? headers['x-accepted-oauth-scopes'];
  return failureOfWrite(write, {
    provider,
    status: error.status,
    said,
    accepts: accepts === undefined ? null : redact(String(accepts)),
    cause: error,
  });
}

/** GitHub's message, with those about single fields. */
const refusal = z.object({
  message: z.string().optional(),
  errors: z
    .array(
      z.union([
        z.string(),
        z.object({ message: z.string().optional(), code: z.string().optional(), field: z.string().optional() }),
      ]),
    )
    .optional(),
});

function wordsOf(error: RequestError): string {
  const { data } = refusal.safeParse((error.response as { readonly data?: unknown } | undefined)?.data);
  const details = (data?.errors ?? []).map((one) =>
    typeof one === 'string' ? one : (one.message ?? [one.field, one.code].filter(Boolean).join(' ')),
  );
  const said = [data?.message ?? (data === undefined ? error.message : ''), ...details].filter(Boolean).join('; ');
  return redact(said)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
