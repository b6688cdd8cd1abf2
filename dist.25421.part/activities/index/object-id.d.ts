/** What an object's identity is made of (docs/architecture.md, Identity). */
export interface ObjectKey {
    /** Digest of chunker, model and schema. */
    readonly digest: string;
    readonly repository: string;
    /** The path; its exact bytes in base64 when they are not UTF-8. */
    readonly path: string;
    /** Blob oid. */
    readonly blob: string;
}
/** Ids of the objects of one file: one for each chunk, in order. Writing the same file twice writes the same objects. */
export declare function objectIds({ digest, repository, path, blob }: ObjectKey, chunks: number): string[];
/** Id of the receipt of a repository at a ref. */
export declare function receiptId(repository: string, ref?: string): string;
