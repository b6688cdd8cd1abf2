import { spaceIdentifiers } from '../../../domain/catalog/search/identifiers.ts';
import type { Chunk } from '../analysis/chunker.ts';

/**
 * The embedded text of a chunk: the names around and in it, and its text. Without its path, so that a moved file needs
 * no new vectors.
 */
export function chunkEmbeddingText({ scope, symbols, text }: Pick<Chunk, 'scope' | 'symbols' | 'text'>): string {
  return spaceIdentifiers(`${[...scope, ...symbols].join(' ')}\n${text}`);
}

/** The embedded text of a query. */
export function queryEmbeddingText(query: string): string {
  return spaceIdentifiers(query);
}

/** The fields of a chunk that are compared with a query. */
export type RescoredChunk = Pick<Chunk, 'symbols' | 'text'> & { readonly path: string };

/** Number of folders of a path that are included. */
const TELLING_FOLDERS = 2;

/**
 * The embedded text for re-scoring a chunk: the distinct words of its path, its definitions, and its text. This way the
 * transformer reads the whole chunk instead of only its beginning.
 */
export function rescoringText({ path, symbols, text }: RescoredChunk): string {
  const place = path.split('/').slice(-TELLING_FOLDERS - 1);
  const spaced = spaceIdentifiers([...place, ...symbols, text].join(' '));
  const distinct = new Map<string, string>();
  for (const [word] of spaced.matchAll(WORD)) {
    const key = word.toLowerCase();
    if (!distinct.has(key)) distinct.set(key, word);
  }
  return [...distinct.values()].join(' ');
}

/** Single letters are ignored. */
const WORD = /[\p{L}\p{N}]{2,}/gu;
