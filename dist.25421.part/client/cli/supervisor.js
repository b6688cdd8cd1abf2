import { fileURLToPath } from 'node:url';
/**
 * Starts the servers and, once they answer, a worker that is kept alive beside them. When anything fails, or `signal` aborts,
 * all is stopped again before it rejects.
 */
export async function startStackAndWorker(context, options) {
    const { startStack } = await import('../../stack/stack.js');
    const stack = await startStack({ ...stackOptions(context), ...options });
    try {
        options.onProgress({ about: 'worker', message: 'starting', passing: false });
        await stack.supervise(await workerChild(stack, context));
        options.onProgress({ about: 'worker', message: 'ready', passing: false });
        return stack;
    }
    catch (error) {
        await stack.stop();
        throw error;
    }
}
/** The stack that a configuration asks for. */
function stackOptions(context) {
    const { config, dataDir, cacheDir, env } = context;
    return {
        dataDir,
        cacheDir,
        env,
        temporal: config.temporal,
        weaviate: config.weaviate,
        modelPath: config.index.modelPath,
        ports: {
            temporal: config.stack.temporalPort,
            temporalUi: config.stack.temporalUiPort,
            weaviate: config.stack.weaviatePort,
        },
    };
}
/** A worker of all roles, told by its environment where everything is. */
async function workerChild(stack, context) {
    const { poll } = await import('../../stack/child.js');
    const { STACK_MARK } = await import('../../stack/leftovers.js');
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const { profile } = context.config.temporal;
    const { apiKey } = stack.weaviate;
    return {
        name: 'worker',
        command: process.execPath,
        args: [fileURLToPath(new URL(`../../workers/main.${extension}`, import.meta.url))],
        env: {
            ...context.env,
            [STACK_MARK]: stack.dataDir,
            TEMPORAL_ADDRESS: stack.temporal.address,
            TEMPORAL_NAMESPACE: stack.temporal.namespace,
            ...(profile === undefined ? {} : { TEMPORAL_PROFILE: profile }),
            WEAVIATE_URL: stack.weaviate.url,
            WEAVIATE_GRPC: stack.weaviate.grpc,
            ...(apiKey === null ? {} : { WEAVIATE_API_KEY: apiKey }),
            LONGHAUL_MODEL_DIR: stack.model.folder,
            LONGHAUL_CACHE_DIR: context.cacheDir,
            LONGHAUL_DATA_DIR: stack.dataDir,
            ...(context.configPath === null ? {} : { LONGHAUL_CONFIG: context.configPath }),
        },
        logFile: `${stack.logDir}/worker.log`,
        readyTimeout: 120_000,
        stopTimeout: 30_000,
        ready: async (signal, logged) => {
            await poll(() => (logged().includes('"event":"worker_ready"') ? true : null), signal);
        },
    };
}
//# sourceMappingURL=supervisor.js.map