import type { RecordedChild } from './state.ts';
/** Marks every process of a stack, through the environment, with the stack's data folder. */
export declare const STACK_MARK = "LONGHAUL_STACK";
/**
 * Stops what a killed supervisor left running: its recorded children and, on Linux, everything that carries its mark, so that
 * also a child is found that was started and not yet recorded. Call it with the lock of the stack held. Returns the names.
 */
export declare function stopLeftovers(dataDir: string, recorded: readonly RecordedChild[]): Promise<string[]>;
