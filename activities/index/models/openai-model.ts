import OpenAI, { APIConnectionError, APIError } from 'openai';
import type { OpenAiModelConfig } from '../../../domain/config/models.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { openRemoteModel } from './remote-model.ts';
import type { RawVector, RemoteModel } from './remote-model.ts';

/** Version of our steps from a text to its vector. A change makes a different model. */
const RECIPE = 'openai-1';

/** How long to wait when a server does not say. */
const DEFAULT_RETRY_AFTER_MS = 20_000;
/** An exhausted quota needs a payment, so it does not recover quickly. */
const QUOTA_RETRY_AFTER_MS = 600_000;

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
  // every option that the library would read from the environment is set here
  const client = new OpenAI({
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    baseURL: url,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: apiKey === null ? { authorization: null } : {},
    timeout: config.timeoutSeconds * 1_000,
    // the budget must count every request, including retries
    maxRetries: 0,
    logLevel: 'off',
  });

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
      const body = { model, input: [...texts], ...(dimensions === undefined ? {} : { dimensions }) };
      try {
        const { data, usage } = await client.embeddings.create(body, { signal });
        if (Number.isFinite(usage?.total_tokens)) used(usage.total_tokens);
        return inOrder(data, texts.length);
      } catch (error) {
        signal.throwIfAborted();
        throw failureOf(error, { name, apiKey, apiKeyEnv: config.apiKeyEnv });
      }
    },
    close: () => Promise.resolve(),
  });
}

/** The vectors in the order of the texts, regardless of the server's order. */
function inOrder(data: unknown, expected: number): RawVector[] {
  const vectors: RawVector[] = [];
  for (const [at, entry] of (Array.isArray(data) ? (data as unknown[]) : []).entries()) {
    const { index = at, embedding } = entry as { readonly index?: number; readonly embedding?: unknown };
    if (!Array.isArray(embedding) && !(embedding instanceof Float32Array)) continue;
    if (index >= 0 && index < expected) vectors[index] = embedding as RawVector;
  }
  // a missing vector leaves a hole, which is skipped
  return Object.values(vectors);
}

function failureOf(
  error: unknown,
  { name, apiKey, apiKeyEnv }: { name: string; apiKey: string | null; apiKeyEnv: string | undefined },
): LonghaulError {
  // without a cause: a server may repeat the key in its message, whole or in part
  const said = apiKey === null ? messageOf(error) : messageOf(error).replaceAll(apiKey, '…');
  if (!(error instanceof APIError) || error instanceof APIConnectionError) {
    return new LonghaulError('ServerUnavailable', `${name} does not answer: ${said}`);
  }
  const { status } = error as { readonly status: number | undefined };
  const { headers } = error as { readonly headers: Headers | undefined };
  if (status === 401 || status === 403) {
    const why = apiKeyEnv === undefined ? 'requires a key: set apiKeyEnv' : `refuses the key in ${apiKeyEnv}`;
    return new LonghaulError('AuthenticationFailed', `${name} ${why} (status ${status}).`);
  }
  if (status === 429) {
    const quota = error.code === 'insufficient_quota';
    const retryAfterMs = quota ? QUOTA_RETRY_AFTER_MS : (retryAfter(headers) ?? DEFAULT_RETRY_AFTER_MS);
    return new LonghaulError('RateLimited', `${name} asks to wait: ${said}`, { retryAfterMs });
  }
  if (status === undefined || status >= 500 || status === 408 || status === 409) {
    const wait = retryAfter(headers);
    const options = wait === null ? {} : { retryAfterMs: wait };
    return new LonghaulError('ServerUnavailable', `${name} does not answer: ${said}`, options);
  }
  if (status === 404) {
    return new LonghaulError('InvalidConfiguration', `${name} was not found: ${said}`);
  }
  return new LonghaulError(
    'InvalidConfiguration',
    `${name} refuses the request: ${said}. Correct model, dimensions, maxInputBytes or batch in longhaul.yaml.`,
  );
}

/** Milliseconds to wait according to `retry-after-ms` or `retry-after`, in seconds or as a date; null when absent. */
function retryAfter(headers: Headers | undefined): number | null {
  const ms = Number(headers?.get('retry-after-ms') ?? undefined);
  if (ms >= 0) return ms;
  const value = headers?.get('retry-after') ?? '';
  if (value === '') return null;
  const wait = Number.isNaN(Number(value)) ? Date.parse(value) - Date.now() : Number(value) * 1_000;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function messageOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? `${message.replace(/\.$/, '')} (${cause.message})` : message;
}
