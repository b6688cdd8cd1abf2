import { join } from 'node:path';
import type { BuildSettings } from '../domain/catalog/build.ts';
import { matchesPattern, parsePattern } from '../domain/catalog/pattern.ts';
import { LonghaulError } from '../domain/failures.ts';
import type { CatalogTools, IndexTools } from './catalog.ts';
import type { LoadedConfig } from './config.ts';
import { type Analyzer, createAnalyzer } from './index/analyzer.ts';
import { createBuilds } from './index/builds.ts';
import type { ModelOptions } from './index/embedder.ts';
import { indexDigest } from './index/schema.ts';
import { search } from './index/search.ts';
import { connectWeaviate, type WeaviateAddress } from './index/weaviate.ts';
import { createMgit, type Mgit } from './mgit/index.ts';
import { createPlanner } from './planner.ts';
import { createStreamSpool } from './index/stream-spool.ts';

/** Where the servers and the model are. */
export interface ToolPlaces {
  readonly weaviate: WeaviateAddress;
  /** Folder with `model.onnx` and `tokenizer.json`. */
  readonly modelFolder: string;
}

/** {@link CatalogTools} that hold connections and threads. */
export interface OpenTools extends CatalogTools {
  close(): Promise<void>;
}

/** mgit as the configuration describes it: needs no server. */
export function openMgit(
  { config, cacheDir }: LoadedConfig,
  env: NodeJS.ProcessEnv,
  maxFileBytes = config.index.maxFileBytes,
): Mgit {
  return createMgit({ providers: config.providers, cacheDir, env, maxFileBytes });
}

interface BuildAnalyzer {
  /** Its digest is that of the builds that it makes. */
  readonly analyzer: Analyzer;
  readonly settings: BuildSettings;
}

/** Everything that the catalog's activities work with, connected. Models and collections are opened when they are needed. */
export async function openTools(
  loaded: LoadedConfig,
  places: ToolPlaces,
  env: NodeJS.ProcessEnv,
  options: ModelOptions = {},
): Promise<OpenTools> {
  const { config, cacheDir } = loaded;
  const client = await connectWeaviate(places.weaviate);
  const builds = createBuilds(client, config.index.name);
  const providers = config.providers.map(({ name }) => name);
  const analyzers = new Map<string, Promise<BuildAnalyzer>>();
  const prepared = new Map<string, Promise<IndexTools>>();

  /** The analyzer of a model and size limit, whose digest names all that a build depends on besides git. */
  function analyzerFor({
    model: kind,
    maxFileBytes,
  }: Pick<BuildSettings, 'model' | 'maxFileBytes'>): Promise<BuildAnalyzer> {
    return once(analyzers, `${kind} ${maxFileBytes}`, async () => {
      const model = { kind, folder: places.modelFolder, cacheDir };
      const analyzer = await createAnalyzer({ model, cacheDir, ...options });
      const settings = { model: kind, modelDigest: analyzer.modelDigest, maxFileBytes };
      return { analyzer: { ...analyzer, digest: indexDigest(analyzer.digest, maxFileBytes) }, settings };
    });
  }

  async function begin(named?: string): Promise<string> {
    const { maxFileBytes } = config.index;
    const model = named === undefined ? config.index.model : builtInModel(named);
    const { analyzer, settings } = await analyzerFor({ model, maxFileBytes });
    await builds.create(analyzer.digest, settings);
    return analyzer.digest;
  }

  /** The tools of a build, its collections checked once. */
  function toolsOf(digest: string, settings: BuildSettings): Promise<IndexTools> {
    return once(prepared, digest, async () => {
      const { analyzer, settings: current } = await analyzerFor(settings);
      if (current.modelDigest !== settings.modelDigest) {
        throw new LonghaulError(
          'SchemaMismatch',
          `Build ${digest} was embedded with another ${settings.model} model than this machine has: ` +
            'give it that model, or build anew with `longhaul index reembed`.',
        );
      }
      await builds.create(digest, settings);
      const store = builds.store(digest);
      const mgit = openMgit(loaded, env, settings.maxFileBytes);
      return {
        digest,
        mgit,
        planner: createPlanner({ mgit, store, digest, providers }),
        store,
        analyzer,
        counts: analyzer.counts,
        async search({ pattern, ...question }) {
          if (pattern === undefined) return search(client, { store, analyzer }, question);
          const parsed = parsePattern(pattern, providers);
          const ids = (await store.receipts()).map(({ repository }) => repository);
          const repositories = ids.filter((id) => matchesPattern(parsed, id));
          return search(client, { store, analyzer }, { ...question, repositories });
        },
      };
    });
  }

  async function live(): Promise<IndexTools | null> {
    const build = await builds.live();
    return build === null ? null : toolsOf(build.digest, build.settings);
  }

  return {
    builds,
    begin,
    live,
    async index(digest) {
      if (digest === undefined) {
        const tools = await live();
        if (tools !== null) return tools;
        const begun = await begin();
        return (await live()) ?? toolsOf(begun, (await analyzerFor(config.index)).settings);
      }
      const build = (await builds.list()).find((one) => one.digest === digest);
      if (!build) throw new LonghaulError('InvalidInput', `There is no build ${digest} of the index.`);
      return toolsOf(build.digest, build.settings);
    },
    spool: createStreamSpool(join(loaded.dataDir, 'blobs'), config.index.maxFileBytes),
    close: async () => {
      for (const opened of await Promise.allSettled(analyzers.values())) {
        if (opened.status === 'fulfilled') await opened.value.analyzer.close();
      }
      await client.close();
    },
  };
}

function builtInModel(name: string): BuildSettings['model'] {
  if (name === 'static' || name === 'onnx') return name;
  throw new LonghaulError('InvalidInput', `There is no model ${name}: give static or onnx.`);
}

/** The value of a key, made once; when making it fails, the next caller tries again. */
function once<Value>(made: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const known = made.get(key);
  if (known) return known;
  const value = make();
  made.set(key, value);
  value.catch(() => made.delete(key));
  return value;
}
