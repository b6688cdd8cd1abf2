import { spaceIdentifiers } from '../../domain/catalog/identifiers.ts';
import type { Chunk } from './chunker.ts';

/**
 * What is embedded of a chunk: the names around and in it, and its text. Not its path, so that a file that moves needs no new
 * vectors.
 */
export function chunkEmbeddingText({ scope, symbols, text }: Pick<Chunk, 'scope' | 'symbols' | 'text'>): string {
  return spaceIdentifiers(`${[...scope, ...symbols].join(' ')}\n${text}`);
}

/** What is embedded of a question. */
export function queryEmbeddingText(query: string): string {
  return spaceIdentifiers(query);
}
