import { LonghaulError } from '../../domain/shared/failures.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import { createStreamSpool } from '../index/stream-spool.ts';
import type { LoadedConfig } from '../shared/config.ts';
import { once } from '../shared/once.ts';
import type { IndexTools } from './catalog.ts';
import type { GroupTools } from './groups.ts';
import { type IndexOptions, type IndexPlaces, type OpenBuild, openIndex } from './open-index.ts';
import { openMgit } from '../mgit/open-mgit.ts';
import { createPlanner } from './planner.ts';

/** {@link GroupTools} with open connections and threads. */
export interface OpenTools extends GroupTools {
  /** Closes connections and stops threads. Running calls are rejected. */
  close(): Promise<void>;
}

/**
 * Opens the tools of the catalog's activities: the index, mgit and the blob store. Models and collections are opened on
 * first use. For a search alone, `openIndex` is enough. Throws `ServerUnavailable`, `AuthenticationFailed`.
 */
export async function openTools(
  loaded: LoadedConfig,
  places: IndexPlaces,
  env: NodeJS.ProcessEnv,
  options: IndexOptions = {},
): Promise<OpenTools> {
  const { config } = loaded;
  const blobs = await openBlobs(loaded, env);
  const index = await openIndex(loaded, places, env, options);
  const { builds } = index;
  const providers = config.providers.map(({ name }) => name);
  const ensured = new Map<string, Promise<void>>();
  const prepared = new Map<string, IndexTools>();

  function toolsOf({ settings, ...build }: OpenBuild): IndexTools {
    const known = prepared.get(build.digest);
    if (known) return known;
    const mgit = openMgit(loaded, env, settings.maxFileBytes);
    const planner = createPlanner({ mgit, store: build.store, digest: build.digest, providers });
    const tools = { ...build, mgit, planner, counts: build.analyzer.counts };
    prepared.set(build.digest, tools);
    return tools;
  }

  const mgit = openMgit(loaded, env);
  return {
    indexName: config.index.name,
    providers,
    blobs,
    mgit,
    tidy: () => mgit.tidy(config.cache.maxBytes),
    builds,
    releaseModels: () => index.releaseModels(),
    begin: (model) => index.begin(model),
    async live() {
      const build = await index.live();
      return build === null ? null : toolsOf(build);
    },
    async index(named) {
      if (named === undefined && (await builds.live()) === null) await index.begin();
      const build =
        named === undefined ? await builds.live() : (await builds.list()).find(({ digest }) => digest === named);
      if (!build) throw new LonghaulError('InvalidInput', `There is no build ${named ?? ''} of the index.`);
      const { digest, settings } = build;
      await once(ensured, digest, () => builds.create(digest, settings));
      return toolsOf(await index.open(build));
    },
    spool: createStreamSpool(blobs, config.index.maxFileBytes),
    close: () => index.close(),
  };
}
