import { type WeaviateClient } from 'weaviate-client';
/** Part of every object's identity: raise it when the meaning of a property changes. */
export declare const SCHEMA_VERSION = 1;
/** The properties of one chunk of code, as Weaviate stores them. */
export type ChunkProperties = {
    repo: string;
    path: string;
    language: string;
    blob: string;
    ordinal: number;
    /** First byte of the object's id: lets a listing of any size be read in pages. */
    bucket: number;
    /** The refs that hold this object. */
    refs: string[];
    text: string;
    /** Split and stemmed words of the text, its path, and the definitions in and around it: what BM25 searches. */
    stems: string;
    pathStems: string;
    scopeStems: string;
    symbols: string[];
    startLine: number;
    endLine: number;
};
/** The properties of a receipt, as Weaviate stores them. */
export type ReceiptProperties = {
    repository: string;
    ref: string;
    cloneUrl: string;
    branch: string;
    commit: string;
    tree: string;
    timestamp: string;
    digest: string;
    files: number;
    objects: number;
    xor: string;
    indexedAt: string;
    pending: string;
};
/** The names of the collections of one index. */
export interface CollectionNames {
    /** The chunks of one digest: another chunker or model has a collection of its own. */
    readonly chunks: string;
    /** The alias that searches go through. */
    readonly alias: string;
    readonly receipts: string;
}
/** The names of the collections of the index called `name` (`index.name` in longhaul.yaml). */
export declare function collectionNames(name: string, digest: string): CollectionNames;
/**
 * Makes the collections that are missing, adds properties that an older version did not have, and points the alias at the
 * chunks when it is new. Safe to repeat and to run in several workers at once. Throws `SchemaMismatch` when a collection of
 * that name has other properties.
 */
export declare function ensureSchema(client: WeaviateClient, names: CollectionNames): Promise<void>;
