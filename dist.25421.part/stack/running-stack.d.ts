import type { StackState } from './state.ts';
/** A stack that another process keeps running. */
export interface RunningStack {
    /** The supervisor's pid. */
    readonly pid: number;
    readonly state: StackState;
    /** Key of the embedded Weaviate; null when Weaviate is the user's own. */
    readonly weaviateApiKey: string | null;
}
/** Where the API key of the embedded Weaviate is kept. */
export declare function weaviateKeyFile(dataDir: string): string;
/** The stack that runs on this data folder, also while it starts; null when none does. */
export declare function findRunningStack(dataDir: string): RunningStack | null;
/** What was found and stopped on a data folder. */
export interface Stopped {
    /** True when a supervisor was there and was asked to stop. */
    readonly supervisor: boolean;
    /** Names of the programs that were stopped. */
    readonly programs: readonly string[];
}
/**
 * Stops the stack of a data folder: asks its supervisor and waits; one that has not ended after `patience` milliseconds is
 * killed. Without a supervisor, whatever a killed one left is stopped.
 */
export declare function stopRunningStack(dataDir: string, patience?: number): Promise<Stopped>;
/** Stops what a killed supervisor left running on a data folder; does nothing while a stack runs there. Returns the names. */
export declare function clearLeftovers(dataDir: string): Promise<string[]>;
/** Ends a supervisor's children at once; for the moment when it must exit and cannot wait. */
export declare function killRecorded(state: StackState): void;
