import type { ProcessIdentity } from './process-identity.ts';
/** Where a server came from: the user's own, installed on PATH, or fetched by Longhaul. */
export type Source = 'yours' | 'installed' | 'fetched';
/** A Temporal server that answers. */
export interface TemporalServer {
    /** `host:port`. */
    readonly address: string;
    /** The web interface; null when we do not know where a server of the user has its own. */
    readonly uiUrl: string | null;
    readonly namespace: string;
    readonly source: Source;
    /** Version of the server. */
    readonly version: string;
}
/** A Weaviate server that answers. */
export interface WeaviateServer {
    readonly url: string;
    /** `host:port` of its gRPC endpoint. */
    readonly grpc: string;
    readonly source: Source;
    readonly version: string;
}
/** A child of the supervisor. */
export interface RecordedChild extends ProcessIdentity {
    readonly name: string;
}
/** What `stack.json` holds: enough for other processes to find the servers, and for a later one to clear up. No secret. */
export interface StackState {
    readonly version: 1;
    readonly status: 'starting' | 'running' | 'stopped';
    /** The process that holds the stack; null when it was stopped in good order. */
    readonly supervisor: ProcessIdentity | null;
    /** When it began to start, ISO 8601. */
    readonly startedAt: string | null;
    /** Ports by name, kept for the next start. */
    readonly ports: Readonly<Record<string, number>>;
    readonly children: readonly RecordedChild[];
    readonly temporal: TemporalServer | null;
    readonly weaviate: WeaviateServer | null;
    /** Folder of the embedding model; null when it was not asked for. */
    readonly modelFolder: string | null;
}
/** The state of a data folder in which nothing was ever started. */
export declare const NO_STATE: StackState;
/** Reads `stack.json` of a data folder. Throws {@link StackError} when it is not ours to read. */
export declare function readState(dataDir: string): StackState;
/** Replaces `stack.json` as a whole, readable by its owner only. */
export declare function writeState(dataDir: string, state: StackState): void;
/** The lock that the supervisor of a data folder holds. */
export declare function stackLockFile(dataDir: string): string;
