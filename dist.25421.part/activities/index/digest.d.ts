/** Sha256 of a text or bytes, in hex. */
export declare function sha256(content: string | Uint8Array): string;
/**
 * The digest (64 hex digits) that `compute` takes of `files`, remembered in `cacheDir` for as long as name, size and time of all
 * of them stay the same. Rejects with the error of `stat` when one is missing.
 */
export declare function rememberedDigest(cacheDir: string, files: readonly string[], compute: () => Promise<string>): Promise<string>;
