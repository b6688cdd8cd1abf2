import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { modelName } from '../../domain/shared/model.ts';
import { checkWeaviate } from '../index/store/weaviate.ts';
import { logProcess } from '../shared/logger.ts';
import type { OpenRole, RoleWork, WorkerStart } from '../shared/wing-role.ts';
import { showCache } from '../telemetry/cache-metrics.ts';
import { createBuildActivities } from './builds.ts';
import { createCatalogActivities } from './catalog.ts';
import { createGroupActivities, type GroupTools } from './groups.ts';
import { isSameModel, modelSettings } from './models.ts';
import { type OpenTools, openTools } from './tools.ts';

/** The catalog's work in the role `repos`: git, chunking, embedding, Weaviate. */
export function reposWork(tools: GroupTools): RoleWork {
  return {
    activities: { ...createCatalogActivities(tools), ...createBuildActivities(tools), ...createGroupActivities(tools) },
    limits: {
      // twice the default of one flow, so that a group of large repositories leaves slots to others; the number of
      // batches in memory is limited separately
      concurrentActivities: 16,
      // a cancellation arrives with the answer to a heartbeat: the default would make people wait
      heartbeatMs: 2_000,
    },
  };
}

/** Opens the tools of the role `repos`, and prepares model and collections. */
export async function openReposRole({ loaded, env, places, registry, logger, signal }: WorkerStart): Promise<OpenRole> {
  const weaviate = places.weaviate();
  const tools = await openTools(loaded, { weaviate, modelFolder: () => places.modelFolder() }, env, {
    progress: (message, fraction) => logProcess(logger, 'model_progress', { fraction }, message),
    onFault: ({ repository, path, reason }) =>
      logProcess(
        logger,
        'file_without_syntax',
        { repo: repository, path, reason },
        `${repository} ${path} is indexed without its syntax: ${reason}`,
      ),
    onLocked: (file) => logger.debug({ file }, `Another process locks ${file}: what it caches is computed again.`),
    signal,
  });
  showCache(registry, loaded.cacheDir, loaded.config.cache.maxBytes);
  await prepare(tools, loaded.config, logger);
  return {
    ...reposWork(tools),
    checks: [{ name: 'weaviate', run: (abort) => checkWeaviate(weaviate, abort) }],
    close: () => tools.close(),
  };
}

/**
 * Prepares model and collections before the first task. A problem that only a new build solves does not stop the
 * worker.
 */
async function prepare(tools: OpenTools, config: Config, logger: WorkerStart['logger']): Promise<void> {
  const configured = modelSettings(config);
  try {
    await tools.index();
    const live = await tools.builds.live();
    if (live === null || isSameModel(live.settings.model, configured)) return;
    const [liveName, configuredName] = [modelName(live.settings.model), modelName(configured)];
    logProcess(
      logger,
      'model_differs',
      { live: liveName, wanted: configuredName },
      `longhaul.yaml names the model ${configuredName}, but the live build has ${liveName}: change it with \`longhaul index reembed\`.`,
    );
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type !== 'SchemaMismatch') throw error;
    logProcess(logger, 'build_outdated', {}, error.message);
  }
}
