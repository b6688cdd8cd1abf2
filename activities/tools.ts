import { join } from 'node:path';
import type { ModelSettings } from '../domain/model.ts';
import type { CatalogTools } from './catalog.ts';
import type { LoadedConfig } from './config.ts';
import { type Analyzer, createAnalyzer } from './index/analyzer.ts';
import type { ModelOptions } from './index/embedder.ts';
import { indexDigest } from './index/schema.ts';
import { createIndexStore } from './index/store.ts';
import { connectWeaviate, type WeaviateAddress } from './index/weaviate.ts';
import { createMgit, type Mgit } from './mgit/index.ts';
import { modelSettings, openNamedModel } from './models.ts';
import { createPlanner } from './planner.ts';
import { createStreamSpool } from './index/stream-spool.ts';

/** Where the servers and the model are. */
export interface ToolPlaces {
  readonly weaviate: WeaviateAddress;
  /** Folder with `model.onnx` and `tokenizer.json`, or what finds it when a built-in model is opened. */
  readonly modelFolder: string | (() => Promise<string>);
}

/** {@link CatalogTools} that hold connections and threads. */
export interface OpenTools extends CatalogTools {
  close(): Promise<void>;
}

/** mgit as the configuration describes it: needs no server. */
export function openMgit({ config, cacheDir }: LoadedConfig, env: NodeJS.ProcessEnv): Mgit {
  return createMgit({ providers: config.providers, cacheDir, env, maxFileBytes: config.index.maxFileBytes });
}

/**
 * The analyzer as the configuration describes it, or with another model. Its digest names all that an index depends on besides
 * git: another chunker, model, schema or size limit makes another index.
 */
export async function openAnalyzer(
  { config, cacheDir }: Pick<LoadedConfig, 'config' | 'cacheDir'>,
  places: ToolPlaces,
  env: NodeJS.ProcessEnv,
  { settings = modelSettings(config), ...options }: ModelOptions & { readonly settings?: ModelSettings } = {},
): Promise<Analyzer> {
  const model = await openNamedModel(config, settings, { ...places, cacheDir, env, signal: options.signal });
  const analyzer = await createAnalyzer({ model, cacheDir, ...options });
  return { ...analyzer, digest: indexDigest(analyzer.digest, config.index.maxFileBytes) };
}

/** Everything that the catalog's activities work with, connected and checked. */
export async function openTools(
  loaded: LoadedConfig,
  places: ToolPlaces,
  env: NodeJS.ProcessEnv,
  options: ModelOptions = {},
): Promise<OpenTools> {
  const { config } = loaded;
  const client = await connectWeaviate(places.weaviate);
  const analyzer = await openAnalyzer(loaded, places, env, options);
  const store = createIndexStore(client, config.index.name, analyzer.digest);
  await store.prepare();
  const mgit = openMgit(loaded, env);
  const providers = config.providers.map(({ name }) => name);
  return {
    mgit,
    planner: createPlanner({ mgit, store, digest: analyzer.digest, providers }),
    store,
    analyzer,
    counts: analyzer.counts,
    spool: createStreamSpool(join(loaded.dataDir, 'blobs'), config.index.maxFileBytes),
    close: async () => {
      await analyzer.close();
      await client.close();
    },
  };
}
