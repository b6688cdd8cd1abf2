import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { lesserLogin } from '../activities/ledger/logins.ts';
import { type LoadedConfig, loadConfig } from '../activities/shared/config.ts';
import { knowConfiguredSecrets } from '../activities/shared/configured-secrets.ts';
import { createLogger, logProcess } from '../activities/shared/logger.ts';
import { openNetwork } from '../activities/shared/network.ts';
import type { WorkerStart } from '../activities/shared/wing-role.ts';
import { createMetrics } from '../activities/telemetry/metrics.ts';
import { showSchedules } from '../activities/telemetry/schedule-metrics.ts';
import { serveStatus, statusAddress, type StatusServer } from '../activities/telemetry/status-server.ts';
import { startTracing } from '../activities/telemetry/tracing.ts';
import { FLOWS } from '../domain/flows.ts';
import type { Address } from '../domain/shared/address.ts';
import { FAILURES, LonghaulError } from '../domain/shared/failures.ts';
import { COMMON_ROLES, parseRoles, type Role } from '../domain/shared/roles.ts';
import { untilAborted } from '../platform/until-aborted.ts';
import { ensureModel } from '../stack/model.ts';
import { throughProxy, yourTemporal } from '../stack/temporal-connection.ts';
import { findRunningStack } from '../stack/running-stack.ts';
import { embeddedData, yourWeaviate } from '../stack/weaviate-connection.ts';
import { workflowBundle } from './bundle.ts';
import { temporalLogger } from './logger.ts';
import { readinessOf, type WorkerParts } from './readiness.ts';
import { activityWorker, flowsWorker, openRoles } from './roles.ts';
import { installRuntime } from './runtime.ts';
import { withVariables } from './variables.ts';
import { groupOfSchedule, WING_ROLES } from './wings.ts';

/** Milliseconds to clean up, for example after a download, when the process is stopped before it is ready. */
const UNDO_MS = 2_000;

/** The variables of this process, with those that were not in its environment. */
let { env } = process;
const logger = createLogger(env);
const metrics = createMetrics();
/** The parts that serve tasks; null while the worker is starting. */
let parts: WorkerParts | null = null;
/** Aborted by the first SIGTERM or SIGINT. */
const stop = stopSignal();

try {
  const { values } = parseArgs({
    options: { roles: { type: 'string' }, 'metrics-address': { type: 'string' }, variables: { type: 'string' } },
  });
  const roles = parseRoles(values.roles ?? COMMON_ROLES.join(','));
  if (values.variables !== undefined) env = await withVariables(env, values.variables);
  const metricsAddress = statusAddress(values['metrics-address'], env);
  const observe = metrics.observe.bind(metrics);
  const sdkMetrics = await installRuntime(temporalLogger(logger, observe), { metrics: metricsAddress !== null });
  const status = metricsAddress === null ? null : await startStatus(metricsAddress, sdkMetrics);
  const starting = start(roles, stop);
  const running = await untilAborted(stop, starting).catch((error: unknown) => {
    if (!stop.aborted) throw error;
    return Promise.race([starting.catch(() => null), delay(UNDO_MS, null)]);
  });
  await running?.untilStopped();
  await status?.close();
  logProcess(logger, 'worker_stopped', { roles }, 'stopped');
  // a connection that is still being opened would keep the process alive
  if (running === null) process.exit(0);
} catch (error) {
  logProcess(logger, 'worker_failed', { err: error }, error instanceof Error ? error.message : String(error));
  // the SDK's runtime would keep the process alive
  process.exit(error instanceof LonghaulError ? FAILURES[error.type].exitCode : 1);
}

/** Serves metrics and health from the beginning: a first start may take minutes. */
async function startStatus(address: Address, sdkMetrics: () => Promise<string>): Promise<StatusServer> {
  const status = await serveStatus(address, {
    metrics: async () => (await Promise.all([metrics.text(), sdkMetrics()])).join(''),
    ready: () => readinessOf(parts),
  });
  logProcess(logger, 'metrics_ready', { address: status.address }, `metrics at http://${status.address}/metrics`);
  return status;
}

/** A process that serves its roles. */
interface Running {
  /**
   * Serves them until the process must stop; then finishes or hands back the tasks in progress, and closes everything.
   */
  untilStopped(): Promise<void>;
}

/** Opens the tools of these roles and starts to poll their task queues. */
async function start(roles: readonly Role[], signal: AbortSignal): Promise<Running> {
  const loaded = loadConfig({ env });
  knowConfiguredSecrets(loaded.config, env);
  await openNetwork({ ...loaded, env });
  const temporal = await yourTemporal(loaded.config.temporal, env);
  if (temporal === null) {
    throw new LonghaulError('ServerUnavailable', 'No Temporal server is configured: set TEMPORAL_ADDRESS.');
  }
  const { namespace } = temporal;
  const connection = await untilAborted(
    signal,
    NativeConnection.connect(throughProxy(temporal.connectionOptions, env)),
  );
  const tracing = await startTracing(env, {
    service: 'longhaul-worker',
    onProblem: (message) => logProcess(logger, 'traces_lost', {}, message),
  });
  const client = new Client({ connection, namespace });
  const opened = await openRoles(WING_ROLES, roles, {
    loaded,
    env,
    client,
    registry: metrics.registry,
    places: placesOf(loaded, signal),
    logger,
    signal,
  });
  const place = { connection, namespace, tracing };
  const workers: Worker[] = [];
  for (const [role, work] of opened.work) {
    signal.throwIfAborted();
    if (role !== 'flows') {
      workers.push(await Worker.create(activityWorker(place, role, work)));
      continue;
    }
    showSchedules(metrics, client, { isOurs: (type) => FLOWS.find(type) !== null, groupOf: groupOfSchedule });
    const bundle = await workflowBundle({ traced: tracing !== null });
    workers.push(await Worker.create(flowsWorker(place, bundle, { work })));
  }
  signal.throwIfAborted();
  const running = workers.map((worker) => worker.run());
  parts = { connection, namespace, workers, checks: opened.checks };
  logProcess(logger, 'worker_ready', { roles, namespace }, 'ready');
  return {
    async untilStopped() {
      await untilAborted(signal, Promise.race(running)).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all(running);
      // only after a clean stop: after a failure the process exits, and its supervisor restarts it
      await opened.close();
      await tracing?.close();
      await connection.close();
    },
  };
}

/** Where Weaviate and the model are, according to environment and configuration. */
function placesOf({ config, cacheDir, dataDir }: LoadedConfig, signal: AbortSignal): WorkerStart['places'] {
  return {
    weaviate() {
      const weaviate = yourWeaviate(config.weaviate, env);
      if (weaviate === null)
        throw new LonghaulError('ServerUnavailable', 'No Weaviate is configured: set WEAVIATE_URL.');
      const running = findRunningStack(dataDir)?.state.weaviate;
      const isEmbedded = running?.url === weaviate.url && running.source !== 'yours';
      return isEmbedded ? { ...weaviate, folder: embeddedData(dataDir) } : weaviate;
    },
    ledger() {
      const url = lesserLogin('writer', env['DATABASE_URL'] || null, env);
      if (url !== null) return url;
      throw new LonghaulError(
        'ServerUnavailable',
        'No PostgreSQL is configured: set DATABASE_WRITER_URL or DATABASE_URL.',
      );
    },
    async modelFolder() {
      return env['LONGHAUL_MODEL_DIR'] ?? config.index.modelPath ?? (await ensureModel({ cacheDir, signal })).folder;
    },
  };
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stopping.abort());
  return stopping.signal;
}
