import type { OnProgress } from '../../stack/progress.ts';
import type { Stack } from '../../stack/stack.ts';
import type { CliContext } from './context.ts';
/** What a supervisor needs of a {@link CliContext}; it travels between processes. */
export type SupervisorContext = Pick<CliContext, 'config' | 'configPath' | 'dataDir' | 'cacheDir'>;
/**
 * Starts the servers and, once they answer, a worker that is kept alive beside them. When anything fails, or `signal` aborts,
 * all is stopped again before it rejects.
 */
export declare function startStackAndWorker(context: SupervisorContext & Pick<CliContext, 'env'>, options: {
    onProgress: OnProgress;
    signal: AbortSignal;
}): Promise<Stack>;
