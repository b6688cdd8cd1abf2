import { z } from 'zod';
import type { OpenAiModelConfig } from '../../../domain/config/models.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { isRefusalOfTexts, openRemoteModel, TextsRefused } from './remote-model.ts';
import type { RawVector, RemoteModel } from './remote-model.ts';

/** Version of our steps from a text to its vector. A change makes a different model. */
const RECIPE = 'openai-1';

/** How long to wait when a server does not say. */
const DEFAULT_RETRY_AFTER_MS = 20_000;
/** An exhausted quota needs a payment, so it does not recover quickly. */
const QUOTA_RETRY_AFTER_MS = 600_000;
/** Characters of a server's message that are shown. */
const MOST_SAID = 300;

/** The answer to `POST /embeddings`. The vectors' numbers are checked where vectors of all servers are. */
const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().optional(), embedding: z.union([z.string(), z.array(z.unknown())]) })),
  usage: z.object({ total_tokens: z.number().optional() }).nullish(),
});

/** The body of a refusal: OpenAI nests it, some compatible servers do not. */
const refusalSchema = z.object({
  error: z.union([z.string(), z.object({ message: z.string().optional(), code: z.unknown().optional() })]).optional(),
  message: z.string().optional(),
});

/**
 * A model behind an OpenAI-compatible `/embeddings`. Without `dimensions` it sends one request to the server, so this
 * may throw what {@link RemoteModel} throws.
 */
export function openOpenAiModel(
  { url, model, dimensions, ...config }: OpenAiModelConfig,
  options: { readonly apiKey: string | null; readonly cacheDir: string; readonly signal?: AbortSignal | undefined },
): Promise<RemoteModel> {
  const { apiKey } = options;
  const name = `The embedding model ${model} at ${url}`;
  const endpoint = `${url.replace(/\/+$/, '')}/embeddings`;

  return openRemoteModel({
    name,
    identity: [RECIPE, url, model, String(dimensions ?? '')],
    dimensions: dimensions ?? null,
    batch: config.batch,
    budget: config.budget,
    maxInputBytes: config.maxInputBytes,
    cacheDir: options.cacheDir,
    signal: options.signal,
    async ask(texts, { signal, used }) {
      const body = { model, input: texts, ...(dimensions === undefined ? {} : { dimensions }) };
      const timeout = AbortSignal.timeout(config.timeoutSeconds * 1_000);
      let response: Response;
      let text: string;
      try {
        response = await fetch(endpoint, {
          method: 'POST',
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            'user-agent': 'longhaul',
            ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
          },
          // half the bytes of decimal numbers; a server that does not know it sends numbers
          body: JSON.stringify({ ...body, encoding_format: 'base64' }),
          // a redirect must not carry the key or the texts to an address that the configuration does not name
          redirect: 'manual',
          signal: AbortSignal.any([signal, timeout]),
        });
        text = await response.text();
      } catch (error) {
        signal.throwIfAborted();
        const why = timeout.aborted ? `no answer within ${config.timeoutSeconds} s` : messageOf(error);
        throw new LonghaulError('ServerUnavailable', `${name} does not answer: ${withoutKey(why, apiKey)}`);
      }
      if (!response.ok) throw failureOfEndpoint(response, text, { name, apiKey, apiKeyEnv: config.apiKeyEnv });
      const answer = answerIn(name, text);
      if (answer.usage?.total_tokens !== undefined) used(answer.usage.total_tokens);
      return inOrder(answer.data, texts.length);
    },
    close: () => Promise.resolve(),
  });
}

/** Throws `ServerUnavailable`: a proxy or an overloaded server answers 200 with something else, which may pass. */
function answerIn(name: string, text: string): z.infer<typeof answerSchema> {
  const { data, error } = answerSchema.safeParse(jsonOf(text));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const where = issue?.path.join('.') || 'the answer';
  throw new LonghaulError(
    'ServerUnavailable',
    `${name} gave an answer that cannot be used: ${where}: ${issue?.message}.`,
  );
}

/** The vectors in the order of the texts, regardless of the server's order. */
function inOrder(data: z.infer<typeof answerSchema>['data'], expected: number): RawVector[] {
  const vectors: RawVector[] = [];
  for (const [at, { index = at, embedding }] of data.entries()) {
    if (index >= 0 && index < expected) vectors[index] = vectorOf(embedding);
  }
  // a missing vector leaves a hole, which is skipped
  return Object.values(vectors);
}

/** Little-endian 32-bit floats as base64, or numbers as they are. */
function vectorOf(embedding: string | readonly unknown[]): RawVector {
  if (typeof embedding !== 'string') return embedding as readonly number[];
  const bytes = Buffer.from(embedding, 'base64');
  return Float32Array.from({ length: bytes.length >> 2 }, (_, at) => bytes.readFloatLE(at * 4));
}

/** Names the failure of an answer that is not 2xx, from its status and text. */
function failureOfEndpoint(
  { status, headers, url }: Response,
  text: string,
  { name, apiKey, apiKeyEnv }: { name: string; apiKey: string | null; apiKeyEnv: string | undefined },
): LonghaulError {
  const { message, code } = refusalIn(text);
  // a server may repeat the key in its message
  const said = `${status} ${withoutKey(message, apiKey)}`.trim();
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.get('location') ?? '', url)?.host;
    return new LonghaulError(
      'InvalidConfiguration',
      `${name} redirects to ${to ?? 'another address'} (status ${status}), which is not followed. Set url in longhaul.yaml to the final address.`,
    );
  }
  if (status === 401 || status === 403) {
    const why = apiKeyEnv === undefined ? 'requires a key: set apiKeyEnv' : `refuses the key in ${apiKeyEnv}`;
    return new LonghaulError('AuthenticationFailed', `${name} ${why} (status ${status}).`);
  }
  if (status === 429) {
    const quota = code === 'insufficient_quota';
    const retryAfterMs = quota ? QUOTA_RETRY_AFTER_MS : (retryAfter(headers) ?? DEFAULT_RETRY_AFTER_MS);
    return new LonghaulError('RateLimited', `${name} asks to wait: ${said}`, { retryAfterMs });
  }
  if (status >= 500 || status === 408 || status === 409) {
    const wait = retryAfter(headers);
    const options = wait === null ? {} : { retryAfterMs: wait };
    return new LonghaulError('ServerUnavailable', `${name} does not answer: ${said}`, options);
  }
  if (status === 404) {
    return new LonghaulError('InvalidConfiguration', `${name} was not found: ${said}`);
  }
  const refused = `${name} refuses the request: ${said}. Correct model, dimensions, maxInputBytes or batch in longhaul.yaml.`;
  return isRefusalOfTexts(status) ? new TextsRefused(refused) : new LonghaulError('InvalidConfiguration', refused);
}

/** Milliseconds to wait according to `retry-after-ms` or `retry-after`, in seconds or as a date; null when absent. */
function retryAfter(headers: Headers): number | null {
  const ms = Number(headers.get('retry-after-ms') ?? undefined);
  if (ms >= 0) return ms;
  const value = headers.get('retry-after') ?? '';
  if (value === '') return null;
  const wait = Number.isNaN(Number(value)) ? Date.parse(value) - Date.now() : Number(value) * 1_000;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function refusalIn(text: string): { message: string; code: unknown } {
  const { data } = refusalSchema.safeParse(jsonOf(text));
  if (data === undefined) return { message: isPage(text) ? '' : text, code: undefined };
  const error = typeof data.error === 'string' ? { message: data.error } : data.error;
  return { message: error?.message ?? data.message ?? '', code: error?.code };
}

function isPage(text: string): boolean {
  return /^\s*</.test(text);
}

/** Undefined when it is not JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A message on one line, without the key. */
function withoutKey(message: string, apiKey: string | null): string {
  const plain = apiKey === null || apiKey === '' ? message : message.replaceAll(apiKey, '…');
  return plain
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MOST_SAID);
}

function messageOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
