import type { Collection, WeaviateClient } from 'weaviate-client';
import { v5 } from 'uuid';
import type { WeaviateModelConfig } from '../../../domain/config/models.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { canonical } from '../store/digest.ts';
import { isRefusalOfTexts, openRemoteModel, TextsRefused } from './remote-model.ts';
import type { RawVector, RemoteModel } from './remote-model.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';
import { connectWeaviate, isConnectionLoss, isKeyRefused, unavailable } from '../store/weaviate.ts';
import type { WeaviateAddress } from '../store/weaviate.ts';

/** Version of our steps from a text to its vector. A change makes a different model. */
const RECIPE = 'weaviate-module-1';

/** How long to wait when the service behind a module refuses; modules do not pass on its `retry-after`. */
const RETRY_AFTER_MS = 20_000;
/** Age from which objects in the scratch collection are leftovers of a killed process and no longer read. */
const LEFTOVER_MS = 3_600_000;
/** Weaviate downloads the tokenizers of some modules from here. */
const TOKENIZERS = 'openaipublic.blob.core.windows.net';
const VECTOR = 'text';

type Scratch = Collection<{ text: string }>;

/** Options of a module model. */
export interface WeaviateModuleOptions {
  readonly weaviate: WeaviateAddress;
  /** Prefix of the name of the scratch collection (`index.name`). */
  readonly indexName: string;
  /** Key of the service behind the module. */
  readonly apiKey: string | null;
  readonly cacheDir: string;
  /** Aborts opening and every request. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A model that a module of Weaviate runs or calls. Weaviate has no call that only computes a vector: texts are written
 * to a scratch collection with that vectorizer, their vectors are read, and the objects deleted. An object's id is
 * derived from its text, so that objects of a killed process are reused instead of computed again. Throws
 * `InvalidConfiguration` when the module is not enabled or refuses its options, or what {@link RemoteModel} throws.
 */
export async function openWeaviateModuleModel(
  { module, options, apiKeyHeader, ...config }: WeaviateModelConfig,
  { weaviate, indexName, apiKey, ...where }: WeaviateModuleOptions,
): Promise<RemoteModel> {
  const name = `The module ${module} of Weaviate`;
  const identity = [RECIPE, module, canonical(options)];
  const client = await connectWeaviate({
    ...weaviate,
    headers: {
      ...unpaced(module),
      ...(apiKey !== null && apiKeyHeader !== undefined ? { [apiKeyHeader]: apiKey } : {}),
    },
  });
  const failure = (message: string): LonghaulError =>
    failureOfModule(apiKey === null ? message : message.replaceAll(apiKey, '…'), name, config.apiKeyEnv);

  async function vectorsOf(scratch: Scratch, texts: readonly string[]): Promise<RawVector[]> {
    const ids = texts.map((text) => v5(sha256(text), v5.URL));
    const objects = new Map(texts.map((text, at) => [ids[at], { id: ids[at] ?? '', properties: { text } }]));
    const { errors } = await scratch.data.insertMany([...objects.values()]);
    const [refused] = Object.values(errors);
    // computed vectors stay there for the next try
    if (refused) throw failure(refused.message);
    const found = await scratch.query.fetchObjects({
      filters: scratch.filter.byId().containsAny(ids),
      limit: objects.size,
      includeVector: true,
      returnProperties: [],
    });
    const vectors = new Map(found.objects.map(({ uuid, vectors: { [VECTOR]: vector } }) => [uuid, vector]));
    const answer = ids.flatMap((id) => {
      const vector = vectors.get(id);
      return vector === undefined ? [] : [vector as RawVector];
    });
    // not worth losing the vectors: leftovers are deleted when they are old
    await scratch.data.deleteMany(scratch.filter.byId().containsAny(ids)).catch(() => undefined);
    return answer;
  }

  try {
    const { modules } = await client.getMeta();
    if (!Object.hasOwn(modules ?? {}, module)) {
      throw new LonghaulError(
        'InvalidConfiguration',
        `Weaviate at ${weaviate.url} does not have the module ${module}: enable it there (ENABLE_MODULES; weaviate.modules in longhaul.yaml for the embedded server).`,
      );
    }
    const scratch = await openScratch(client, `${indexName}Embed_${sha256(identity.join(' ')).slice(0, 16)}`, {
      module,
      options,
    }).catch((error: unknown) => {
      throw isKeyRefused(error) || isConnectionLoss(error)
        ? unavailable(error, weaviate.url)
        : refusedOptions(error, name);
    });
    return await openRemoteModel({
      name,
      identity,
      dimensions: null,
      batch: config.batch,
      budget: config.budget,
      maxInputBytes: config.maxInputBytes,
      ...where,
      async ask(texts, { signal }) {
        try {
          return await untilAborted(
            AbortSignal.any([signal, AbortSignal.timeout(config.timeoutSeconds * 1_000)]),
            vectorsOf(scratch, texts),
          );
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof LonghaulError) throw error;
          throw failure(error instanceof Error ? error.message : String(error));
        }
      },
      close: () => client.close(),
    });
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The collection in which texts become vectors; created if missing, and leftovers in it are removed. */
async function openScratch(
  client: WeaviateClient,
  name: string,
  { module, options }: Pick<WeaviateModelConfig, 'module' | 'options'>,
): Promise<Scratch> {
  const scratch: Scratch = client.collections.use(name);
  if (!(await client.collections.exists(name))) {
    try {
      await client.collections.createFromSchema({
        class: name,
        description: `Longhaul scratch: texts that ${module} is computing vectors of`,
        invertedIndexConfig: { indexTimestamps: true },
        properties: [
          {
            name: 'text',
            dataType: ['text'],
            indexFilterable: false,
            indexSearchable: false,
            moduleConfig: { [module]: { skip: false, vectorizePropertyName: false } },
          },
        ],
        vectorConfig: {
          [VECTOR]: {
            vectorizer: { [module]: { vectorizeClassName: false, ...options } },
            vectorIndexType: 'hnsw',
            // this collection is never searched
            vectorIndexConfig: { skip: true },
          },
        },
      });
    } catch (error) {
      // another process may have created it first
      if (!(await client.collections.exists(name))) throw error;
    }
  }
  await scratch.data.deleteMany(scratch.filter.byCreationTime().lessThan(new Date(Date.now() - LEFTOVER_MS)));
  return scratch;
}

/**
 * Some modules send one text per request until they know a rate limit, and then keep to it. Longhaul applies the budget
 * before it calls them, so this tells them that there is no limit, in the headers of their service or, if they use its
 * client, of OpenAI.
 */
function unpaced(module: string): Record<string, string> {
  const services = ['openai', module.slice(module.indexOf('-') + 1)];
  return Object.fromEntries(
    services.flatMap((service) => [
      [`x-${service}-ratelimit-requestpm-embedding`, '1000000'],
      [`x-${service}-ratelimit-tokenpm-embedding`, '1000000000'],
    ]),
  );
}

/** Names the failure of a module, whose message contains the status of its service, if any. */
function failureOfModule(message: string, name: string, apiKeyEnv: string | undefined): LonghaulError {
  const status = Number(/status:? (\d{3})\b/i.exec(message)?.[1] ?? 0);
  if (status === 401 || status === 403 || /no api key found/i.test(message)) {
    const why = apiKeyEnv === undefined ? 'requires a key: set apiKeyEnv' : `was refused with the key in ${apiKeyEnv}`;
    return new LonghaulError('AuthenticationFailed', `${name} ${why}.`);
  }
  if (status === 429 || /rate limit/i.test(message)) {
    return new LonghaulError('RateLimited', `${name} has to wait: ${message}`, { retryAfterMs: RETRY_AFTER_MS });
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 409) {
    const refused = `${name} was refused: ${message}. Correct its options.`;
    return isRefusalOfTexts(status) ? new TextsRefused(refused) : new LonghaulError('InvalidConfiguration', refused);
  }
  // seen with text2vec-openai when it cannot download its tokenizer (docs/decisions/0005-models.md)
  const hint = /panic/i.test(message) ? ` (the log of Weaviate says more; some modules must reach ${TOKENIZERS})` : '';
  return new LonghaulError('ServerUnavailable', `${name} returns no vectors: ${message}${hint}`);
}

function refusedOptions(error: unknown, name: string): LonghaulError {
  const message = error instanceof Error ? error.message : String(error);
  return new LonghaulError('InvalidConfiguration', `${name} refuses its options: ${message}`);
}
