import type { OnProgress } from './progress.ts';
/** Where fetched servers are kept, and who is told about it. */
export interface FetchOptions {
    readonly cacheDir: string;
    readonly env: NodeJS.ProcessEnv;
    readonly onProgress: OnProgress;
    readonly signal?: AbortSignal | undefined;
}
/** A server that is fetched once and kept. */
export interface CachedServer {
    readonly name: string;
    readonly version: string;
    /** Name of the executable in the folder of the cache entry. */
    readonly program: string;
    /** Puts the executable into `folder`, which exists and is empty. It runs again from the start when it was interrupted. */
    make(folder: string): Promise<void>;
}
/** The full path of the cached executable, fetched first when it is not there; one process at a time fetches. */
export declare function cachedServer(server: CachedServer, options: FetchOptions): Promise<string>;
/** The full path of the executable when its cache entry is there and whole; else null. */
export declare function findCached(server: Pick<CachedServer, 'name' | 'version' | 'program'>, cacheDir: string): Promise<string | null>;
/** SHA-256 of a file, hexadecimal. */
export declare function sha256(file: string): Promise<string>;
