import { z } from 'zod';
import { envName, plainUrl } from '../shared/values.schema.ts';

/** The name of a module of Weaviate. */
export const moduleName = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)+$/, 'give the name of a module, such as text2vec-openai');

/** Settings that all served models have in common. */
const served = {
  /** Limits of requests to the server, per process; further requests wait. */
  budget: z
    .strictObject({
      requestsPerMinute: z.number().positive().optional(),
      tokensPerMinute: z.number().positive().optional(),
      /** Concurrent requests. */
      concurrency: z.int().min(1).max(64).default(4),
    })
    .prefault({}),
  /** Maximum number of texts, and of their bytes, per request. */
  batch: z
    .strictObject({
      inputs: z.int().min(1).max(2_048).default(128),
      bytes: z.int().min(1_000).max(10_000_000).default(250_000),
    })
    .prefault({}),
  /** Longer texts are truncated at the last whole character within this many bytes of UTF-8. */
  maxInputBytes: z.int().min(100).max(1_000_000).default(8_191),
  /** Seconds after which a request is aborted and tried again. */
  timeoutSeconds: z.int().min(1).max(3_600).default(120),
};

const openAiModel = z.strictObject({
  type: z.literal('openai'),
  /** Base of an OpenAI-compatible API, with its version: `https://api.openai.com/v1`. */
  url: plainUrl,
  /** The model's name on that server. */
  model: z.string().min(1).max(200),
  /** Length of the vectors, for models that can shorten them; read from the server once when left out. */
  dimensions: z.int().min(1).max(65_535).optional(),
  /** Name of the environment variable with the key; without it no key is sent. */
  apiKeyEnv: envName.optional(),
  ...served,
});

const weaviateModel = z
  .strictObject({
    type: z.literal('weaviate'),
    /** A vectorizer module that is enabled in Weaviate. */
    module: moduleName,
    /** The module's own options, as Weaviate documents them. */
    options: z
      .record(z.string(), z.json())
      .refine(holdsNoSecret, 'give keys with apiKeyEnv and apiKeyHeader, never here')
      .default({}),
    /** Name of the environment variable with the key of the service behind the module. */
    apiKeyEnv: envName.optional(),
    /** The header in which the module expects that key, such as `X-OpenAI-Api-Key`. */
    apiKeyHeader: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'give the name of a header')
      .optional(),
    ...served,
  })
  .refine(
    ({ apiKeyEnv, apiKeyHeader }) => (apiKeyEnv === undefined) === (apiKeyHeader === undefined),
    'give both apiKeyEnv and apiKeyHeader',
  );

function holdsNoSecret(options: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(options).every(
    ([name, value]) =>
      !/api[-_]?key|secret|password|credential/i.test(name) &&
      !(typeof value === 'string' && /^[a-z]+:\/\/[^/]*@/i.test(value)),
  );
}

/** An embedding model that another program serves. */
export const servedModelSchema = z.discriminatedUnion('type', [openAiModel, weaviateModel]);

/** An entry of `models`, checked. */
export type ServedModelConfig = z.infer<typeof servedModelSchema>;
/** An entry of `models` with `type: openai`, checked. */
export type OpenAiModelConfig = z.infer<typeof openAiModel>;
/** An entry of `models` with `type: weaviate`, checked. */
export type WeaviateModelConfig = z.infer<typeof weaviateModel>;
