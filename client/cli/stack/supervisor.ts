import { fileURLToPath } from 'node:url';
import type { ChildSpec } from '../../../stack/child.ts';
import type { OnProgress } from '../../../stack/progress.ts';
import type { Stack } from '../../../stack/stack.ts';
import type { StackOptions } from '../../../stack/options.ts';
import { COMMON_ROLES, hostRole, type Role } from '../../../domain/shared/roles.ts';
import type { CliContext } from '../../core/context.ts';
import { userName } from '../../core/user-name.ts';
import { pipelinesEnvironment } from './pipelines-environment.ts';

/** The part of a {@link CliContext} that a supervisor needs; it is passed between processes. */
export type SupervisorContext = Pick<CliContext, 'config' | 'configPath' | 'dataDir' | 'cacheDir'>;

/**
 * Starts the servers and, once they answer, a supervised worker. When anything fails, or `signal` aborts, everything is
 * stopped before it rejects.
 */
export async function startStackAndWorker(
  context: SupervisorContext & Pick<CliContext, 'env'>,
  options: { onProgress: OnProgress; signal: AbortSignal },
): Promise<Stack> {
  const { startStack } = await import('../../../stack/stack.ts');
  // histories and indexed code are in the servers' files: only the owner may read them
  process.umask(0o077);
  const stack = await startStack({ ...stackOptions(context), ...options });
  try {
    await migrate(stack, context, options.onProgress);
    options.onProgress({ about: 'worker', message: 'starting', passing: false });
    const worker = await workerChild(stack, context, options.onProgress);
    await Promise.all([stack.supervise(worker), supervisePipelines(stack, worker, context, options.onProgress)]);
    options.onProgress({ about: 'worker', message: 'ready', passing: false });
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Brings the ledger to the version of this program. */
async function migrate(
  { postgres: { url } }: Stack,
  { env }: Pick<CliContext, 'env'>,
  onProgress: OnProgress,
): Promise<void> {
  const [{ migrateLedger }, { ledgerLogins }] = await Promise.all([
    import('../../../activities/ledger/migrate.ts'),
    import('../../../activities/ledger/logins.ts'),
  ]);
  const { from, to } = await migrateLedger(ledgerLogins(url, env), { actor: userName(env) });
  if (from !== to) {
    onProgress({ about: 'postgres', message: `the ledger has version ${to}, was ${from}`, passing: false });
  }
}

/** The options of the configured stack. */
function stackOptions(context: SupervisorContext & Pick<CliContext, 'env'>): StackOptions {
  const { config, dataDir, cacheDir, env } = context;
  return {
    dataDir,
    cacheDir,
    env,
    temporal: config.temporal,
    weaviate: config.weaviate,
    modelPath: config.index.modelPath,
    needs: needsModel(config) ? ['temporal', 'weaviate', 'postgres', 'model'] : ['temporal', 'weaviate', 'postgres'],
    ports: {
      temporal: config.stack.temporalPort,
      temporalUi: config.stack.temporalUiPort,
      weaviate: config.stack.weaviatePort,
      postgres: config.stack.postgresPort,
    },
  };
}

/** False when another program serves the index's model: the files are then fetched when they are needed. */
function needsModel({ index, models }: SupervisorContext['config']): boolean {
  return !Object.hasOwn(models, index.model);
}

/** The roles of the worker that `up` starts, next to that of the pipelines: that of this machine where it is configured. */
function rolesOf({ host }: SupervisorContext['config']): readonly Role[] {
  return [...COMMON_ROLES, 'ledger', ...(host === undefined ? [] : [hostRole(host.name)])];
}

async function writerUrl({ postgres: { url } }: Stack, { env }: Pick<CliContext, 'env'>): Promise<string> {
  const { ledgerLogins } = await import('../../../activities/ledger/logins.ts');
  return ledgerLogins(url, env).writer;
}

/** A worker of the common roles; its environment has all addresses and folders. */
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
    args: [
      fileURLToPath(new URL(`../../../workers/main.${extension}`, import.meta.url)),
      '--roles',
      rolesOf(context.config).join(','),
    ],
    env: {
      ...context.env,
      // the logins of the ledger's owner and of the gateway: workers need less
      DATABASE_URL: undefined,
      DATABASE_GATES_URL: undefined,
      DATABASE_WRITER_URL: await writerUrl(stack, context),
      // Below `info` it would not report that it is ready.
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
    // Its first start on a machine distils the model, which takes minutes when the processors are busy.
    readyTimeout: 900_000,
    stopTimeout: 30_000,
    ready: async (signal, logged) => {
      let last = '';
      await poll(() => {
        const log = logged();
        const message = modelProgress(log);
        if (message !== last) onProgress({ about: 'worker', message, passing: true });
        last = message;
        return log.includes('"event":"worker_ready"') ? true : null;
      }, signal);
    },
  };
}

/** A worker of programs of repositories, where this machine can isolate them. */
async function supervisePipelines(
  stack: Stack,
  worker: ChildSpec,
  context: SupervisorContext & Pick<CliContext, 'env'>,
  onProgress: OnProgress,
): Promise<void> {
  const { sandboxProblem } = await import('./sandbox-finding.ts');
  const problem = await sandboxProblem(context);
  if (problem !== null) {
    onProgress({ about: 'pipelines', message: `not served on this machine: ${problem}`, passing: false });
    return;
  }
  const { poll } = await import('../../../stack/child.ts');
  const { serverEnvironment } = await import('../../../stack/server-environment.ts');
  const { env, variables } = pipelinesEnvironment(worker.env, context.config);
  await stack.supervise({
    ...worker,
    name: 'pipelines',
    args: [...worker.args.slice(0, 1), '--roles', 'pipelines', '--variables', '-'],
    env: { ...serverEnvironment(context.env, stack.dataDir), ...env },
    input: variables,
    logFile: `${stack.logDir}/pipelines.log`,
    ready: (signal, logged) =>
      poll(() => (logged().includes('"event":"worker_ready"') ? true : null), signal).then(() => undefined),
  });
}

/** The worker's last message about preparing its model; empty for none. */
function modelProgress(log: string): string {
  const line = log.split('\n').findLast((each) => each.includes('"event":"model_progress"') && each.endsWith('}'));
  if (line === undefined) return '';
  const { message, fraction } = JSON.parse(line) as { message: string; fraction?: number };
  return fraction === undefined ? message : `${message} ${Math.round(fraction * 100)} %`;
}
