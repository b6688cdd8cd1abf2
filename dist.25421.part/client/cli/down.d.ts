import type { CliContext } from './context.ts';
/**
 * Stops the stack of this data folder and waits until it has ended; also what a killed one left. Returns 0, also when nothing
 * was running. Throws `StackFailed`.
 */
export declare function down(context: CliContext): Promise<number>;
