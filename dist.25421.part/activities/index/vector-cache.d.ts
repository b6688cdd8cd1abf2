/** What a chunk count depends on besides the analysis: the content, and the file name that may decide the language. */
export interface CountKey {
    /** Blob oid. */
    readonly blob: string;
    /** Last part of the path. */
    readonly name: string;
}
/**
 * What was computed once and never changes: vectors by model and text, chunk counts by analysis and file. Any number of threads
 * and processes may have the same file open. All of it can be made again, so a damaged file is put aside and begun anew.
 */
export interface VectorCache {
    /** The vectors of texts, by {@link textKey}, in order; undefined where it has none. */
    getVectors(model: string, keys: readonly Buffer[]): (Float32Array | undefined)[];
    /** Keeps vectors, all of them or, when the process dies, none. */
    putVectors(model: string, entries: readonly (readonly [key: Buffer, vector: Float32Array])[]): void;
    /** The chunk counts of files, in order; undefined where it has none. */
    getCounts(analysis: string, keys: readonly CountKey[]): (number | undefined)[];
    /** Keeps chunk counts, all of them or, when the process dies, none. */
    putCounts(analysis: string, entries: readonly (CountKey & {
        readonly chunks: number;
    })[]): void;
    close(): void;
}
/** What stands for a text: 16 bytes of its SHA-256. */
export declare function textKey(text: string): Buffer;
/** Opens the cache in `file`, which need not exist. Its calls block for as long as the disk takes: not for an event loop. */
export declare function openVectorCache(file: string): VectorCache;
