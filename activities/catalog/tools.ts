import type { BuildSettings } from '../../domain/catalog/index/build.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import { matchesPattern, parsePattern } from '../../domain/git/pattern.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { modelName, type ModelSettings } from '../../domain/shared/model.ts';
import { untilAborted } from '../../platform/until-aborted.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import type { IndexTools } from './catalog.ts';
import type { GroupTools } from './groups.ts';
import type { LoadedConfig } from '../shared/config.ts';
import { type Analyzer, createAnalyzer } from '../index/analysis/analyzer.ts';
import { createBuilds } from '../index/store/builds.ts';
import type { ModelOptions } from '../index/models/embedder.ts';
import { indexDigest } from '../index/store/schema.ts';
import { createRescorer } from '../index/models/rescorer.ts';
import { search } from '../index/search.ts';
import { connectWeaviate, type WeaviateAddress } from '../index/store/weaviate.ts';
import { createMgit, type Mgit } from '../mgit/index.ts';
import { modelSettings, openNamedModel } from './models.ts';
import { createPlanner } from './planner.ts';
import { createStreamSpool } from '../index/stream-spool.ts';

/** The addresses of servers and the location of the model. */
export interface ToolPlaces {
  readonly weaviate: WeaviateAddress;
  /** Folder with `model.onnx` and `tokenizer.json`, or a function that finds it when a built-in model is opened. */
  readonly modelFolder: string | (() => Promise<string>);
}

/** {@link GroupTools} with open connections and threads. */
export interface OpenTools extends GroupTools {
  /** Closes connections and stops threads. Running calls are rejected. */
  close(): Promise<void>;
}

/** mgit as configured; needs no server. */
export function openMgit(
  { config, cacheDir }: LoadedConfig,
  env: NodeJS.ProcessEnv,
  maxFileBytes = config.index.maxFileBytes,
): Mgit {
  return createMgit({ providers: config.providers, cacheDir, env, maxFileBytes });
}

/** The requested analyzer; defaults come from the configuration. */
export interface AnalyzerChoice extends ModelOptions {
  /** The model. @default `index.model` */
  readonly model?: ModelSettings;
  /** Larger files are skipped, in bytes. @default `index.maxFileBytes` */
  readonly maxFileBytes?: number;
}

/**
 * The configured analyzer, or one with another model or size limit. Its digest identifies everything that an index
 * depends on in addition to git: another chunker, model, schema or size limit makes another build.
 */
export async function openAnalyzer(
  { config, cacheDir }: Pick<LoadedConfig, 'config' | 'cacheDir'>,
  places: ToolPlaces,
  env: NodeJS.ProcessEnv,
  choice: AnalyzerChoice = {},
): Promise<Analyzer> {
  const { model: settings = modelSettings(config), maxFileBytes = config.index.maxFileBytes, ...options } = choice;
  const model = await openNamedModel(config, settings, { ...places, cacheDir, env, signal: options.signal });
  const analyzer = await createAnalyzer({ model, cacheDir, ...options });
  return { ...analyzer, digest: indexDigest(analyzer.digest, maxFileBytes) };
}

/** Options of {@link openTools}. */
export interface ToolOptions extends ModelOptions {
  /** Opens the analyzer of a build. Several tools of one process may share one that ignores `close`. @default {@link openAnalyzer} */
  readonly openAnalyzer?: typeof openAnalyzer;
}

/** The connected dependencies of the catalog's activities. Models and collections are opened on first use. */
export async function openTools(
  loaded: LoadedConfig,
  places: ToolPlaces,
  env: NodeJS.ProcessEnv,
  { openAnalyzer: open = openAnalyzer, ...options }: ToolOptions = {},
): Promise<OpenTools> {
  const { config } = loaded;
  const blobs = await openBlobs(loaded, env);
  const connecting = connectWeaviate(places.weaviate);
  const client = await (options.signal === undefined ? connecting : untilAborted(options.signal, connecting));
  const builds = createBuilds(client, config.index.name);
  const providers = config.providers.map(({ name }) => name);
  const analyzers = new Map<string, Promise<Analyzer>>();
  const ensured = new Map<string, Promise<void>>();
  const prepared = new Map<string, Promise<IndexTools>>();
  const rescorer = createRescorer(places.modelFolder, loaded.cacheDir);

  function analyzerFor(wanted: Pick<BuildSettings, 'model' | 'maxFileBytes'>): Promise<Analyzer> {
    const { model, maxFileBytes } = wanted;
    const key = JSON.stringify([model, maxFileBytes]);
    return once(analyzers, key, () => open(loaded, places, env, { model, maxFileBytes, ...options }));
  }

  async function begin(wanted: string | ModelSettings = config.index.model): Promise<string> {
    const { maxFileBytes } = config.index;
    const model = typeof wanted === 'string' ? modelSettings(config, wanted) : wanted;
    const { digest, modelDigest } = await analyzerFor({ model, maxFileBytes });
    const settings = { model, modelDigest, maxFileBytes };
    await builds.create(digest, settings);
    return digest;
  }

  /** The tools of a build whose collections exist. */
  function toolsOf(digest: string, settings: BuildSettings): Promise<IndexTools> {
    return once(prepared, digest, async () => {
      const analyzer = await analyzerFor(settings);
      if (analyzer.modelDigest !== settings.modelDigest) {
        throw new LonghaulError(
          'SchemaMismatch',
          `Build ${digest} was embedded with another ${modelName(settings.model)} model than this machine has: ` +
            'configure that model, or rebuild with `longhaul index reembed`.',
        );
      }
      const store = builds.store(digest);
      const mgit = openMgit(loaded, env, settings.maxFileBytes);
      // vectors of larger models already contain this information
      const searching = { store, analyzer, ...(settings.model.type === 'static' ? { rescorer } : {}) };
      return {
        digest,
        mgit,
        planner: createPlanner({ mgit, store, digest, providers }),
        store,
        analyzer,
        counts: analyzer.counts,
        async search({ pattern, ...question }) {
          if (pattern === undefined) return search(client, searching, question);
          const parsed = parsePattern(pattern, providers);
          const ids = headReceipts(await store.receipts()).map(({ repository }) => repository);
          const repositories = ids.filter((id) => matchesPattern(parsed, id));
          return search(client, searching, { ...question, repositories });
        },
      };
    });
  }

  async function live(): Promise<IndexTools | null> {
    const build = await builds.live();
    return build === null ? null : toolsOf(build.digest, build.settings);
  }

  const mgit = openMgit(loaded, env);
  return {
    indexName: config.index.name,
    providers,
    blobs,
    mgit,
    tidy: () => mgit.tidy(config.cache.maxBytes),
    builds,
    begin,
    live,
    async index(named) {
      if (named === undefined && (await builds.live()) === null) await begin();
      const build =
        named === undefined ? await builds.live() : (await builds.list()).find(({ digest }) => digest === named);
      if (!build) throw new LonghaulError('InvalidInput', `There is no build ${named ?? ''} of the index.`);
      const { digest, settings } = build;
      await once(ensured, digest, () => builds.create(digest, settings));
      return toolsOf(digest, settings);
    },
    spool: createStreamSpool(blobs, config.index.maxFileBytes),
    close: async () => {
      for (const opened of await Promise.allSettled(analyzers.values())) {
        if (opened.status === 'fulfilled') await opened.value.close();
      }
      await rescorer.close();
      await client.close();
    },
  };
}

/** Memoizes the value of a key. A failed attempt is not cached. */
function once<Value>(made: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const known = made.get(key);
  if (known) return known;
  const value = make();
  made.set(key, value);
  value.catch(() => made.delete(key));
  return value;
}
