import type { Collection, WeaviateClient } from 'weaviate-client';
import { v5 } from 'uuid';
import type { WeaviateModelConfig } from '../../../domain/config/models.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { canonical } from '../store/digest.ts';
import { openRemoteModel } from './remote-model.ts';
import type { RawVector, RemoteModel } from './remote-model.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';
import { connectWeaviate, isConnectionLoss, unavailable } from '../store/weaviate.ts';
import type { WeaviateAddress } from '../store/weaviate.ts';

/** Version of everything between a text and its vector on our side. Another one is another model. */
const RECIPE = 'weaviate-module-1';

/** How long to stay away when the service behind a module has had enough; a module does not pass on for how long. */
const RETRY_AFTER_MS = 20_000;
/** What a killed process left in the scratch collection is younger while anybody may still be reading it. */
const LEFTOVER_MS = 3_600_000;
/** From where Weaviate fetches the tokenizers by which some modules count. */
const TOKENIZERS = 'openaipublic.blob.core.windows.net';
const VECTOR = 'text';

type Scratch = Collection<{ text: string }>;

/** Where and for whom a module computes. */
export interface WeaviateModuleOptions {
  readonly weaviate: WeaviateAddress;
  /** First part of the name of the scratch collection (`index.name`). */
  readonly indexName: string;
  /** Key of the service behind the module. */
  readonly apiKey: string | null;
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A model that a module of Weaviate runs or asks. Weaviate has no call that only computes a vector: texts are written to a
 * scratch collection with that vectorizer, their vectors read, and the objects deleted. An object's id is made of its text, so
 * that what a killed process left there is found again instead of being computed again.
 * Throws `InvalidConfiguration` when the module is not enabled or refuses its options, or what {@link RemoteModel} throws.
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
    failureOf(apiKey === null ? message : message.replaceAll(apiKey, '…'), name, config.apiKeyEnv);

  async function vectorsOf(scratch: Scratch, texts: readonly string[]): Promise<RawVector[]> {
    const ids = texts.map((text) => v5(sha256(text), v5.URL));
    const objects = new Map(texts.map((text, at) => [ids[at], { id: ids[at] ?? '', properties: { text } }]));
    const { errors } = await scratch.data.insertMany([...objects.values()]);
    const [refused] = Object.values(errors);
    // what was computed stays there for the next try
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
    // not worth losing the vectors: what stays is deleted when it is old
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
      throw isConnectionLoss(error) ? unavailable(error, weaviate.url) : refusedOptions(error, name);
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

/** The collection in which texts become vectors, made when it is missing; leftovers in it are removed. */
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
            // nothing is searched here
            vectorIndexConfig: { skip: true },
          },
        },
      });
    } catch (error) {
      // another process may have been first
      if (!(await client.collections.exists(name))) throw error;
    }
  }
  await scratch.data.deleteMany(scratch.filter.byCreationTime().lessThan(new Date(Date.now() - LEFTOVER_MS)));
  return scratch;
}

/**
 * Some modules send one text a request until they have been told of a limit, and then keep it. The budget is kept here, before
 * anything reaches them: they are told that there is no end of it, by the name of their service or, when they borrow its
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

/** What a module says of a refusal has the status that its service answered with, if any. */
function failureOf(message: string, name: string, apiKeyEnv: string | undefined): LonghaulError {
  const status = Number(/status:? (\d{3})\b/i.exec(message)?.[1] ?? 0);
  if (status === 401 || status === 403 || /no api key found/i.test(message)) {
    const why =
      apiKeyEnv === undefined ? 'needs a key: name it by apiKeyEnv' : `was refused with the key in ${apiKeyEnv}`;
    return new LonghaulError('AuthenticationFailed', `${name} ${why}.`);
  }
  if (status === 429 || /rate limit/i.test(message)) {
    return new LonghaulError('RateLimited', `${name} has to wait: ${message}`, { retryAfterMs: RETRY_AFTER_MS });
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 409) {
    return new LonghaulError('InvalidConfiguration', `${name} was refused: ${message}. Correct its options.`);
  }
  // seen of text2vec-openai where it cannot fetch its tokenizer (docs/decisions/0005-models.md)
  const hint = /panic/i.test(message) ? ` (the log of Weaviate says more; some modules must reach ${TOKENIZERS})` : '';
  return new LonghaulError('ServerUnavailable', `${name} gives no vectors: ${message}${hint}`);
}

function refusedOptions(error: unknown, name: string): LonghaulError {
  const message = error instanceof Error ? error.message : String(error);
  return new LonghaulError('InvalidConfiguration', `${name} refuses its options: ${message}`);
}
