import { fileURLToPath } from 'node:url';
import type { ChildSpec } from '../../../stack/child.ts';
import type { OnProgress } from '../../../stack/progress.ts';
import type { Stack, StackOptions } from '../../../stack/stack.ts';
import type { CliContext } from '../../core/context.ts';

/** What a supervisor needs of a {@link CliContext}; it travels between processes. */
export type SupervisorContext = Pick<CliContext, 'config' | 'configPath' | 'dataDir' | 'cacheDir'>;

/**
 * Starts the servers and, once they answer, a worker that is kept alive beside them. When anything fails, or `signal` aborts,
 * all is stopped again before it rejects.
 */
export async function startStackAndWorker(
  context: SupervisorContext & Pick<CliContext, 'env'>,
  options: { onProgress: OnProgress; signal: AbortSignal },
): Promise<Stack> {
  const { startStack } = await import('../../../stack/stack.ts');
  // histories and indexed code are in what the servers write: nobody else's business
  process.umask(0o077);
  const stack = await startStack({ ...stackOptions(context), ...options });
  try {
    options.onProgress({ about: 'worker', message: 'starting', passing: false });
    await stack.supervise(await workerChild(stack, context, options.onProgress));
    options.onProgress({ about: 'worker', message: 'ready', passing: false });
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** The stack that a configuration asks for. */
function stackOptions(context: SupervisorContext & Pick<CliContext, 'env'>): StackOptions {
  const { config, dataDir, cacheDir, env } = context;
  return {
    dataDir,
    cacheDir,
    env,
    temporal: config.temporal,
    weaviate: config.weaviate,
    modelPath: config.index.modelPath,
    needs: needsModel(config) ? ['temporal', 'weaviate', 'model'] : ['temporal', 'weaviate'],
    ports: {
      temporal: config.stack.temporalPort,
      temporalUi: config.stack.temporalUiPort,
      weaviate: config.stack.weaviatePort,
    },
  };
}

/** False when somebody else serves the index's model: files are then fetched when another one is asked for. */
function needsModel({ index, models }: SupervisorContext['config']): boolean {
  return !Object.hasOwn(models, index.model);
}

/** A worker of all roles, told by its environment where everything is. */
async function workerChild(
  stack: Stack,
  context: SupervisorContext & Pick<CliContext, 'env'>,
  onProgress: OnProgress,
): Promise<ChildSpec> {
  const { poll } = await import('../../../stack/child.ts');
  const { STACK_MARK } = await import('../../../stack/leftovers.ts');
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const { profile } = context.config.temporal;
  const { apiKey } = stack.weaviate;
  return {
    name: 'worker',
    command: process.execPath,
    args: [fileURLToPath(new URL(`../../../workers/main.${extension}`, import.meta.url))],
    env: {
      ...context.env,
      // Below `info` it would not say that it is ready.
      LONGHAUL_LOG_LEVEL: /^(debug|trace)$/.exec(context.env['LONGHAUL_LOG_LEVEL'] ?? '')?.[0] ?? 'info',
      [STACK_MARK]: stack.dataDir,
      TEMPORAL_ADDRESS: stack.temporal.address,
      TEMPORAL_NAMESPACE: stack.temporal.namespace,
      ...(profile === undefined ? {} : { TEMPORAL_PROFILE: profile }),
      WEAVIATE_URL: stack.weaviate.url,
      WEAVIATE_GRPC: stack.weaviate.grpc,
      ...(apiKey === null ? {} : { WEAVIATE_API_KEY: apiKey }),
      ...(needsModel(context.config) ? { LONGHAUL_MODEL_DIR: stack.model.folder } : {}),
      LONGHAUL_CACHE_DIR: context.cacheDir,
      LONGHAUL_DATA_DIR: stack.dataDir,
      ...(context.configPath === null ? {} : { LONGHAUL_CONFIG: context.configPath }),
    },
    logFile: `${stack.logDir}/worker.log`,
    // Its first start on a machine distils the model, which takes minutes where the processors are busy.
    readyTimeout: 900_000,
    stopTimeout: 30_000,
    ready: async (signal, logged) => {
      let told = '';
      await poll(() => {
        const log = logged();
        const message = modelProgress(log);
        if (message !== told) onProgress({ about: 'worker', message, passing: true });
        told = message;
        return log.includes('"event":"worker_ready"') ? true : null;
      }, signal);
    },
  };
}

/** What the worker last logged about preparing its model; empty when it has logged nothing about that. */
function modelProgress(log: string): string {
  const line = log.split('\n').findLast((each) => each.includes('"event":"model_progress"') && each.endsWith('}'));
  if (line === undefined) return '';
  const { message, fraction } = JSON.parse(line) as { message: string; fraction?: number };
  return fraction === undefined ? message : `${message} ${Math.round(fraction * 100)} %`;
}
