import { type WeaviateClient } from 'weaviate-client';
import type { Analyzer } from './analyzer.ts';
import type { IndexStore } from './store.ts';
/** A question to the index. */
export interface SearchQuery {
    readonly query: string;
    /** Ids of the repositories to look in; all when left out. */
    readonly repositories?: readonly string[];
    /** Language as linguist names it, such as `TypeScript`. */
    readonly language?: string;
    /** Glob over the path inside the repository, such as `src/**`. */
    readonly path?: string;
    /** Results at most. @default 10 */
    readonly limit?: number;
}
/** One piece of code that answers. */
export interface SearchResult {
    /** Repository id. */
    readonly repo: string;
    readonly path: string;
    /** 1-based, inclusive. */
    readonly startLine: number;
    readonly endLine: number;
    readonly language: string;
    /** Definitions in this piece. */
    readonly symbols: readonly string[];
    /** Weaviate's fused score, 0 to 1. Comparable within one answer only. */
    readonly score: number;
    /** The code, from `startLine` to `endLine`. */
    readonly snippet: string;
    /** Commit that the repository's receipt vouches for. */
    readonly commit: string;
}
/** What a search answers. */
export interface SearchAnswer {
    readonly query: string;
    readonly tookMs: number;
    readonly results: readonly SearchResult[];
}
/** Searches by words (BM25 over split and stemmed identifiers, path and definitions) and by meaning (vector), fused. */
export declare function search(client: WeaviateClient, { store, analyzer }: {
    readonly store: IndexStore;
    readonly analyzer: Analyzer;
}, question: SearchQuery): Promise<SearchAnswer>;
