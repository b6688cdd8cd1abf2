import type { Chunk } from './chunker.ts';
/**
 * What is embedded of a chunk: the names around and in it, and its text. Not its path, so that a file that moves needs no new
 * vectors.
 */
export declare function chunkEmbeddingText({ scope, symbols, text }: Pick<Chunk, 'scope' | 'symbols' | 'text'>): string;
/** What is embedded of a question. */
export declare function queryEmbeddingText(query: string): string;
