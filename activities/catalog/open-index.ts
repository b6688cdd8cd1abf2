import type { Build, BuildSettings } from '../../domain/catalog/index/build.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import { matcherAmong, parsePattern } from '../../domain/git/pattern.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { modelName, type ModelSettings } from '../../domain/shared/model.ts';
import { untilAborted } from '../../platform/until-aborted.ts';
import { type Analyzer, type AnalyzerOptions, createAnalyzer } from '../index/analysis/analyzer.ts';
import { createReleasableAnalyzer, type ReleasableAnalyzer } from '../index/analysis/releasable-analyzer.ts';
import type { ModelOptions } from '../index/models/embedder.ts';
import { createRescorer, type Rescorer } from '../index/models/rescorer.ts';
import { search, type SearchAnswer, type SearchQuery } from '../index/search.ts';
import { type Builds, createBuilds } from '../index/store/builds.ts';
import { indexDigest } from '../index/store/schema.ts';
import type { IndexStore } from '../index/store/store.ts';
import { connectWeaviate, type WeaviateAddress } from '../index/store/weaviate.ts';
import type { LoadedConfig } from '../shared/config.ts';
import { once } from '../shared/once.ts';
import { createReused } from '../shared/reused.ts';
import { modelSettings, openNamedModel } from './models.ts';

/** The address of Weaviate and the location of the model. */
export interface IndexPlaces {
  readonly weaviate: WeaviateAddress;
  /** Folder with `model.onnx` and `tokenizer.json`, or a function that finds it when a built-in model is opened. */
  readonly modelFolder: string | (() => Promise<string>);
}

/** A search, optionally only in the repositories that match a pattern. */
export type SearchQuestion = Omit<SearchQuery, 'repositories'> & { readonly pattern?: string };

/** A build of the index, open for searches. */
export interface OpenBuild {
  /** {@link Build.digest} */
  readonly digest: string;
  readonly settings: BuildSettings;
  readonly store: IndexStore;
  readonly analyzer: Analyzer;
  /** Searches; with `pattern` only the repositories that match. */
  readonly search: (question: SearchQuestion) => Promise<SearchAnswer>;
}

/** The index of a configuration. A search needs nothing else. */
export interface OpenIndex {
  readonly builds: Builds;
  /** The live build; null when nothing was ever indexed. */
  live(): Promise<OpenBuild | null>;
  /** A build whose collections exist. */
  open(build: Pick<Build, 'digest' | 'settings'>): Promise<OpenBuild>;
  /**
   * Creates the empty collections of a build unless they exist, with this model or that of `longhaul.yaml`. Returns its
   * digest.
   */
  begin(model?: string | ModelSettings): Promise<string>;
  /** Closes the models of builds that no longer exist, with their threads, as soon as no call uses them. */
  releaseModels(): Promise<void>;
  /** Closes connections and stops threads. Running calls are rejected. */
  close(): Promise<void>;
}

/** The requested analyzer; defaults come from the configuration. */
export interface AnalyzerChoice extends ModelOptions, Pick<AnalyzerOptions, 'onFault' | 'onLocked'> {
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
  places: IndexPlaces,
  env: NodeJS.ProcessEnv,
  choice: AnalyzerChoice = {},
): Promise<Analyzer> {
  const { model: settings = modelSettings(config), maxFileBytes = config.index.maxFileBytes, ...options } = choice;
  const model = await openNamedModel(config, settings, { ...places, cacheDir, env, signal: options.signal });
  const analyzer = await createAnalyzer({ model, cacheDir, ...options });
  return { ...analyzer, digest: indexDigest(analyzer.digest, maxFileBytes) };
}

/** Options of {@link openIndex}. */
export interface IndexOptions extends ModelOptions, Pick<AnalyzerOptions, 'onFault' | 'onLocked'> {
  /**
   * Opens a build's analyzer. Indexes of one process may share one that ignores `close`. @default {@link openAnalyzer}
   */
  readonly openAnalyzer?: typeof openAnalyzer;
  /** The rescorer of the model in {@link IndexPlaces.modelFolder}, closed with the index. @default a new one */
  readonly rescorer?: Rescorer;
}

/** Milliseconds between two checks for deleted builds. */
const RELEASE_AGAIN_MS = 60_000;

/** How long a search reuses the list of indexed repositories, in milliseconds. */
const RECEIPTS_COUNT_MS = 1_000;

/** Identifies the analyzer of a build. */
function analyzerKey({ model, maxFileBytes }: Pick<BuildSettings, 'model' | 'maxFileBytes'>): string {
  return JSON.stringify([model, maxFileBytes]);
}

/**
 * Connects to Weaviate. Models and collections are opened on first use. Throws `ServerUnavailable`,
 * `AuthenticationFailed`.
 */
export async function openIndex(
  loaded: LoadedConfig,
  places: IndexPlaces,
  env: NodeJS.ProcessEnv,
  { openAnalyzer: openOne = openAnalyzer, rescorer: given, ...options }: IndexOptions = {},
): Promise<OpenIndex> {
  const { config } = loaded;
  const connecting = connectWeaviate(places.weaviate);
  const client = await (options.signal === undefined ? connecting : untilAborted(options.signal, connecting));
  const builds = createBuilds(client, config.index.name);
  const providers = config.providers.map(({ name }) => name);
  const analyzers = new Map<string, Promise<ReleasableAnalyzer>>();
  /** Analyzers that could be opened. */
  const usable = new Map<string, ReleasableAnalyzer>();
  let releasedAt = Date.now();
  const opened = new Map<string, Promise<OpenBuild>>();
  const rescorer = given ?? createRescorer(places.modelFolder, loaded.cacheDir);

  function analyzerFor({
    model,
    maxFileBytes,
  }: Pick<BuildSettings, 'model' | 'maxFileBytes'>): Promise<ReleasableAnalyzer> {
    const key = analyzerKey({ model, maxFileBytes });
    return once(analyzers, key, async () => {
      const analyzer = await createReleasableAnalyzer(() =>
        openOne(loaded, places, env, { model, maxFileBytes, ...options }),
      );
      usable.set(key, analyzer);
      return analyzer;
    });
  }

  async function releaseModels(): Promise<void> {
    releasedAt = Date.now();
    const needed = new Set((await builds.list()).map(({ settings }) => analyzerKey(settings)));
    for (const [key, analyzer] of usable) if (!needed.has(key)) await analyzer.release();
  }

  /** Another process may have deleted a build. A single open model is most likely that of the live build. */
  async function releaseNowAndThen(): Promise<void> {
    const isOpen = [...usable.values()].filter((analyzer) => analyzer.isOpen());
    if (isOpen.length <= 1 || Date.now() - releasedAt < RELEASE_AGAIN_MS) return;
    // memory is freed later then; what is being opened does not depend on it
    await releaseModels().catch(() => undefined);
  }

  async function open({ digest, settings }: Pick<Build, 'digest' | 'settings'>): Promise<OpenBuild> {
    await releaseNowAndThen();
    return once(opened, digest, async () => {
      const analyzer = await analyzerFor(settings);
      if (analyzer.modelDigest !== settings.modelDigest) {
        throw new LonghaulError(
          'SchemaMismatch',
          `Build ${digest} was embedded with another ${modelName(settings.model)} model than this machine has: ` +
            'configure that model, or rebuild with `longhaul index reembed`.',
        );
      }
      const store = builds.store(digest);
      const receipts = createReused(() => store.receipts(), RECEIPTS_COUNT_MS);
      // vectors of larger models already contain this information
      const searching = { store, analyzer, ...(settings.model.type === 'static' ? { rescorer } : {}) };
      return {
        digest,
        settings,
        store,
        analyzer,
        async search({ pattern, ...question }) {
          if (pattern === undefined) return search(client, searching, question);
          const parsed = parsePattern(pattern, providers);
          const ids = headReceipts(await receipts.get()).map(({ repository }) => repository);
          const repositories = ids.filter(matcherAmong([parsed], ids));
          return search(client, searching, { ...question, repositories });
        },
      };
    });
  }

  return {
    builds,
    releaseModels,
    open,
    async live() {
      const build = await builds.live();
      return build === null ? null : open(build);
    },
    async begin(requested = config.index.model) {
      const { maxFileBytes } = config.index;
      const model = typeof requested === 'string' ? modelSettings(config, requested) : requested;
      const { digest, modelDigest } = await analyzerFor({ model, maxFileBytes });
      await builds.create(digest, { model, modelDigest, maxFileBytes });
      return digest;
    },
    close: async () => {
      for (const analyzer of await Promise.allSettled(analyzers.values())) {
        if (analyzer.status === 'fulfilled') await analyzer.value.close();
      }
      await rescorer.close();
      await client.close();
    },
  };
}
