import { parseArgs } from 'node:util';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { loadConfig } from '../activities/shared/config.ts';
import { createLogger, logProcess } from '../activities/shared/logger.ts';
import { type OpenTools, openTools } from '../activities/catalog/tools.ts';
import { isSameModel, modelSettings } from '../activities/catalog/models.ts';
import { createAlertActivities } from '../activities/catalog/alerts.ts';
import { scheduleWatch } from '../activities/catalog/alerts/schedule.ts';
import { groupOfSchedule } from '../activities/catalog/groups/schedules.ts';
import { showCache } from '../activities/telemetry/cache-metrics.ts';
import { createMetrics } from '../activities/telemetry/metrics.ts';
import { showSchedules } from '../activities/telemetry/schedule-metrics.ts';
import { serveStatus, statusAddress, type StatusServer } from '../activities/telemetry/status-server.ts';
import { FLOWS } from '../domain/flows.ts';
import type { Address } from '../domain/shared/address.ts';
import { modelName, type ModelSettings } from '../domain/shared/model.ts';
import { FAILURES, LonghaulError } from '../domain/shared/failures.ts';
import { parseRoles, type Role, ROLES } from '../domain/shared/roles.ts';
import { ensureModel } from '../stack/model.ts';
import { yourTemporal } from '../stack/temporal-connection.ts';
import { yourWeaviate } from '../stack/weaviate.ts';
import { startTracing } from '../activities/telemetry/tracing.ts';
import { workflowBundle } from './bundle.ts';
import { temporalLogger } from './logger.ts';
import { readinessOf, type WorkerParts } from './readiness.ts';
import { flowsWorker, reposWorker } from './roles.ts';
import { installRuntime } from './runtime.ts';

const { env } = process;
const logger = createLogger(env);
const metrics = createMetrics();
/** What is connected and polls; null while the worker is starting. */
let parts: WorkerParts | null = null;

try {
  const { roles, metricsAddress } = optionsAskedFor();
  const observe = metrics.observe.bind(metrics);
  const sdkMetrics = await installRuntime(temporalLogger(logger, observe), { metrics: metricsAddress !== null });
  const status = metricsAddress === null ? null : await startStatus(metricsAddress, sdkMetrics);
  await run(roles);
  await status?.close();
} catch (error) {
  logProcess(logger, 'worker_failed', { err: error }, error instanceof Error ? error.message : String(error));
  // the SDK's runtime would keep the process alive
  process.exit(error instanceof LonghaulError ? FAILURES[error.type].exitCode : 1);
}

/** What this process was asked for, by its arguments or its environment. */
function optionsAskedFor(): { roles: readonly Role[]; metricsAddress: Address | null } {
  const { values } = parseArgs({ options: { roles: { type: 'string' }, 'metrics-address': { type: 'string' } } });
  return {
    roles: parseRoles(values.roles ?? ROLES.join(',')),
    metricsAddress: statusAddress(values['metrics-address'], env),
  };
}

/** Serves metrics and health from the first moment: a first start may take minutes. */
async function startStatus(address: Address, sdkMetrics: () => Promise<string>): Promise<StatusServer> {
  const status = await serveStatus(address, {
    metrics: async () => (await Promise.all([metrics.text(), sdkMetrics()])).join(''),
    ready: () => readinessOf(parts),
  });
  logProcess(logger, 'metrics_ready', { address: status.address }, `metrics at http://${status.address}/metrics`);
  return status;
}

/** Serves the task queues of these roles until SIGTERM or SIGINT. */
async function run(roles: readonly Role[]): Promise<void> {
  const loaded = loadConfig({ env });
  const temporal = await yourTemporal(loaded.config.temporal, env);
  if (temporal === null) {
    throw new LonghaulError('ServerUnavailable', 'No Temporal server is named: set TEMPORAL_ADDRESS.');
  }
  const { namespace } = temporal;
  const connection = await NativeConnection.connect(temporal.connectionOptions);
  const stopped = stopSignal();
  const tracing = await startTracing(env, {
    service: 'longhaul-worker',
    onProblem: (message) => logProcess(logger, 'traces_lost', {}, message),
  });
  const place = { connection, namespace, tracing };
  const progress = (message: string, fraction?: number): void =>
    logProcess(logger, 'model_progress', { fraction }, message);
  const tools = roles.includes('repos') ? await openTools(loaded, places(loaded), env, { progress }) : null;
  if (tools !== null) showCache(metrics.registry, loaded.cacheDir, loaded.config.cache.maxBytes);
  if (tools !== null) await prepare(tools, modelSettings(loaded.config));
  const workers: Worker[] = [];
  if (roles.includes('flows')) {
    const client = new Client({ connection, namespace });
    const { alerts, index } = loaded.config;
    showSchedules(metrics, client, { isOurs: (type) => FLOWS.find(type) !== null, groupOf: groupOfSchedule });
    const bundle = await workflowBundle({ traced: tracing !== null });
    workers.push(
      await Worker.create(flowsWorker(place, bundle, { alerts: createAlertActivities(loaded.config, env) })),
    );
    await scheduleWatch(client, index.name, alerts.channels.length > 0);
  }
  if (tools !== null) workers.push(await Worker.create(reposWorker(place, tools)));
  const running = workers.map((worker) => worker.run());
  const weaviateUrl = tools === null ? null : (yourWeaviate(loaded.config.weaviate, env)?.url ?? null);
  parts = { connection, namespace, weaviateUrl, workers };
  logProcess(logger, 'worker_ready', { roles, namespace }, 'ready');
  await Promise.race([stopped, ...running]);
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  await Promise.all(running);
  // only after a clean stop: after a failure the process exits, and its supervisor restarts it
  await tools?.close();
  await tracing?.close();
  await connection.close();
  logProcess(logger, 'worker_stopped', { roles }, 'stopped');
}

/** Makes model and collections ready before the first task asks for them. What only a new build mends does not end the worker. */
async function prepare(tools: OpenTools, wanted: ModelSettings): Promise<void> {
  try {
    await tools.index();
    const live = await tools.builds.live();
    if (live === null || isSameModel(live.settings.model, wanted)) return;
    const [now, then] = [modelName(live.settings.model), modelName(wanted)];
    logProcess(
      logger,
      'model_differs',
      { live: now, wanted: then },
      `longhaul.yaml asks for the model ${then}, the live build has ${now}: change it with \`longhaul index reembed\`.`,
    );
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type !== 'SchemaMismatch') throw error;
    logProcess(logger, 'build_outdated', {}, error.message);
  }
}

/** Where Weaviate and the model are, by environment and configuration. */
function places({ config, cacheDir }: ReturnType<typeof loadConfig>): Parameters<typeof openTools>[1] {
  const weaviate = yourWeaviate(config.weaviate, env);
  if (weaviate === null) throw new LonghaulError('ServerUnavailable', 'No Weaviate is named: set WEAVIATE_URL.');
  const given = env['LONGHAUL_MODEL_DIR'] ?? config.index.modelPath;
  return { weaviate, modelFolder: given ?? (async () => (await ensureModel({ cacheDir })).folder) };
}

/** Resolves at the first SIGTERM or SIGINT. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
  });
}
