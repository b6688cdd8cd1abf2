import type { FetchOptions } from './server-cache.ts';
/** The cache entry that {@link fetchWeaviate} makes. */
export declare const PINNED_WEAVIATE: {
    readonly name: 'weaviate';
    readonly version: string;
    readonly program: string;
};
/**
 * The pinned Weaviate server, built by Go from its module, whose checksum is compared with the pin here and whose
 * dependencies Go compares with its checksum database. The build is reproducible, and so is its checksum where the Go
 * version and the system are known. Made once into the cache; returns the full path. Throws {@link StackError} without Go.
 */
export declare function fetchWeaviate(options: FetchOptions): Promise<string>;
