import type { CliContext } from './context.ts';
/** Options of `longhaul up`. */
export interface UpOptions {
    /** Leave the stack running in the background and return when it is ready. */
    readonly detach: boolean;
}
/**
 * Starts the stack and a worker. In the foreground it stays until Ctrl-C or SIGTERM and returns 0; with `detach` it returns 0
 * as soon as all is ready, also when all ran already. Returns 3 in the foreground when a stack already runs on this data
 * folder, 130 when it was interrupted while starting. Throws `StackFailed`.
 */
export declare function up(options: UpOptions, context: CliContext): Promise<number>;
