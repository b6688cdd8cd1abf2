import type { Child, ChildSpec } from './child.ts';
import type { OnProgress } from './progress.ts';
import { StackError } from './stack-error.ts';
import type { TemporalServer, WeaviateServer } from './state.ts';
import type { TemporalChoice } from './temporal-connection.ts';
import type { WeaviateChoice } from './weaviate.ts';
/** A part of the stack. */
export type Need = 'temporal' | 'weaviate' | 'model';
/** What to start, and where it keeps its things. */
export interface StackOptions {
    /** State of the embedded servers. One stack at a time runs on a data folder. */
    readonly dataDir: string;
    /** Fetched servers and models. */
    readonly cacheDir: string;
    /** Names the user's own servers, and PATH. */
    readonly env: NodeJS.ProcessEnv;
    /** Ports on 127.0.0.1; 0 or left out: a free one, the same at every start as long as it stays free. */
    readonly ports?: {
        readonly temporal?: number;
        readonly temporalUi?: number;
        readonly weaviate?: number;
    };
    readonly temporal?: TemporalChoice;
    readonly weaviate?: WeaviateChoice;
    /** Folder of a model to use instead of the packaged one. */
    readonly modelPath?: string | undefined;
    /** Default: everything. */
    readonly needs?: readonly Need[];
    readonly onProgress?: OnProgress;
    /** Gives the start up: everything that was started is stopped, and {@link startStack} rejects with its reason. */
    readonly signal?: AbortSignal;
    /** Log level of the embedded Temporal server; default `warn`. */
    readonly temporalLogLevel?: string;
    /** More arguments for the embedded Temporal server. */
    readonly temporalExtraArgs?: readonly string[];
}
/** Servers that answer. The properties throw when that part was not among the needs. */
export interface Stack {
    readonly temporal: TemporalServer;
    readonly weaviate: WeaviateServer & {
        readonly apiKey: string | null;
    };
    readonly model: {
        readonly folder: string;
    };
    /** The data folder, with symbolic links resolved. */
    readonly dataDir: string;
    /** Where the programs write their logs. */
    readonly logDir: string;
    /** Starts another program as a part of this stack: kept alive, stopped first when the stack stops. */
    supervise(spec: ChildSpec): Promise<Child>;
    /** Stops all programs and gives the data folder free. Idempotent. */
    stop(): Promise<void>;
    /** Ends all programs at once, for a caller that cannot wait. */
    kill(): void;
}
/** Thrown by {@link startStack} when another process runs a stack on the same data folder. */
export declare class StackRunningError extends StackError {
    /** The pid of that process. */
    readonly pid: number;
    constructor(dataDir: string, pid: number);
}
/**
 * Finds, fetches and starts what is needed, and registers the search attributes. Throws {@link StackRunningError} when a
 * stack already runs on this data folder, {@link StackError} when something is missing or does not start; then nothing is
 * left running.
 */
export declare function startStack(options: StackOptions): Promise<Stack>;
