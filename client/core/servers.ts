import type { Client, WorkflowClientInterceptor } from '@temporalio/client';
import type { WeaviateAddress } from '../../activities/index/store/weaviate.ts';
import type { LoadedConfig } from '../../activities/shared/config.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { CliContext } from './context.ts';
import { namingStackFailures } from './stack-failure.ts';

/** A client of the Temporal server from the environment, `longhaul.yaml` or the running stack. */
export interface TemporalSession {
  readonly client: Client;
  /** Address of the web interface, if known. */
  readonly uiUrl: string | null;
  /** Closes the connection. */
  close(): Promise<void>;
}

/** Connects to Temporal. Throws `ServerUnavailable`. */
export async function connectTemporal(context: CliContext): Promise<TemporalSession> {
  const [{ Client, Connection }, { yourTemporal }, { findRunningStack }] = await Promise.all([
    import('@temporalio/client'),
    import('../../stack/temporal-connection.ts'),
    import('../../stack/running-stack.ts'),
  ]);
  const { temporal } = context.config;
  const yours = await yourTemporal(temporal, context.env);
  const running = findRunningStack(context.dataDir)?.state.temporal ?? null;
  if (yours === null && running === null) throw noServer('Temporal', 'TEMPORAL_ADDRESS');
  const { connectionOptions, namespace } = yours ?? {
    connectionOptions: { address: running?.address ?? '' },
    namespace: running?.namespace ?? 'default',
  };
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '10 seconds' });
    const { interceptors, close } = await clientTracing(context);
    return {
      client: new Client({ connection, namespace, interceptors: { workflow: interceptors } }),
      uiUrl: temporal.uiUrl?.replace(/\/+$/, '') ?? (yours === null ? (running?.uiUrl ?? null) : null),
      close: async () => {
        await close();
        await connection.close();
      },
    };
  } catch (error) {
    throw new LonghaulError('ServerUnavailable', `Temporal at ${connectionOptions.address} does not answer.`, {
      cause: error,
    });
  }
}

/** An interceptor that creates the first span of a flow that is started here, if tracing is on. */
async function clientTracing({
  env,
  stderr,
}: CliContext): Promise<{ interceptors: WorkflowClientInterceptor[]; close: () => Promise<void> }> {
  const { startTracing } = await import('../../activities/telemetry/tracing.ts');
  const onProblem = (message: string): void => void stderr.write(`traces were lost: ${message}\n`);
  const tracing = await startTracing(env, { service: 'longhaul', onProblem });
  if (tracing === null) return { interceptors: [], close: () => Promise.resolve() };
  const { OpenTelemetryWorkflowClientInterceptor } =
    await import('@temporalio/interceptors-opentelemetry/lib/client/index.js');
  return { interceptors: [new OpenTelemetryWorkflowClientInterceptor()], close: () => tracing.close() };
}

/**
 * Weaviate's address: from the environment, `longhaul.yaml`, or the running stack. Throws `ServerUnavailable`,
 * `StackFailed`.
 */
export async function weaviateAddress(context: CliContext): Promise<WeaviateAddress> {
  const [{ yourWeaviate, embeddedData }, { findRunningStack }] = await Promise.all([
    import('../../stack/weaviate-connection.ts'),
    import('../../stack/running-stack.ts'),
  ]);
  const yours = await namingStackFailures(async () => yourWeaviate(context.config.weaviate, context.env));
  if (yours !== null) return yours;
  const running = findRunningStack(context.dataDir);
  if (!running?.state.weaviate) throw noServer('Weaviate', 'WEAVIATE_URL');
  const { weaviate } = running.state;
  const folder = weaviate.source === 'yours' ? undefined : embeddedData(context.dataDir);
  return { ...weaviate, apiKey: running.weaviateApiKey, folder };
}

/** True when {@link modelFolder} need not fetch the embedding model. */
export async function hasModel({ env, config, cacheDir }: CliContext): Promise<boolean> {
  if ((env['LONGHAUL_MODEL_DIR'] ?? config.index.modelPath) !== undefined) return true;
  const { findModel } = await import('../../stack/model.ts');
  return (await findModel(cacheDir)) !== null;
}

/** The folder of the embedding model, fetched if needed. */
export async function modelFolder(context: CliContext): Promise<string> {
  const given = context.env['LONGHAUL_MODEL_DIR'] ?? context.config.index.modelPath;
  if (given !== undefined) return given;
  const { ensureModel } = await import('../../stack/model.ts');
  return (await ensureModel({ cacheDir: context.cacheDir })).folder;
}

/** The configuration in the form that activities take. */
export function loadedConfig({ config, configPath, dataDir, cacheDir }: CliContext): LoadedConfig {
  return { config, path: configPath, dataDir, cacheDir };
}

function noServer(name: string, variable: string): LonghaulError {
  return new LonghaulError(
    'ServerUnavailable',
    `No ${name} is configured and no stack is running: run \`longhaul up\`, or set ${variable}.`,
  );
}
