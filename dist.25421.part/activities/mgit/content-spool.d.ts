/** Files with contents that are too large for a line, each named after its blob: a repeated run finds them. */
export interface ContentSpool {
    /** Keeps a content and returns the absolute path of its file. */
    keep(oid: string, content: Uint8Array): Promise<string>;
}
/** A spool in this folder of the cache. */
export declare function createContentSpool(folder: string): ContentSpool;
