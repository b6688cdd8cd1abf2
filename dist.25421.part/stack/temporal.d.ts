import type { Connection } from '@temporalio/client';
import type { ChildSpec } from './child.ts';
import type { FetchOptions } from './server-cache.ts';
import type { Source } from './state.ts';
import type { TemporalTarget } from './temporal-connection.ts';
/** An executable server. */
export interface ServerProgram {
    readonly command: string;
    readonly source: Exclude<Source, 'yours'>;
    /** What it says of itself; null when it does not say before it runs. */
    readonly version: string | null;
}
/** The `temporal` program: installed on PATH, or already fetched; null when neither is there. */
export declare function findTemporal(cacheDir: string, env: NodeJS.ProcessEnv): Promise<ServerProgram | null>;
/** The `temporal` program, fetched when it is nowhere. Throws {@link StackError}. */
export declare function obtainTemporal(options: FetchOptions): Promise<ServerProgram>;
/** How to run the server: everything on loopback, state in one SQLite file. */
export declare function temporalChild(options: {
    command: string;
    dataDir: string;
    logFile: string;
    env: NodeJS.ProcessEnv;
    port: number;
    uiPort: number;
    namespace: string;
    /** `debug`, `info`, `warn` or `error`. */
    logLevel: string;
    /** More arguments for `temporal server start-dev`. */
    extraArgs: readonly string[];
}): ChildSpec;
/**
 * Connects, calls `use`, and closes the connection. Throws {@link StackError} when nobody answers there within 5 s.
 */
export declare function withTemporal<T>(target: TemporalTarget, use: (connection: Connection) => Promise<T>): Promise<T>;
/** The version of the server at the other end. Throws {@link StackError} when the namespace is not there. */
export declare function temporalVersion(connection: Connection, namespace: string): Promise<string>;
