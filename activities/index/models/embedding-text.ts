import { spaceIdentifiers } from '../../../domain/catalog/search/identifiers.ts';
import type { Chunk } from '../analysis/chunker.ts';

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

/** What is asked of a piece of code to compare it with a question. */
export type RescoredChunk = Pick<Chunk, 'symbols' | 'text'> & { readonly path: string };

/** Folders of a path that say what a file is about. */
const TELLING_FOLDERS = 2;

/**
 * What is embedded of a piece of code that is compared with a question once more: each word once of where it is, what it defines,
 * and its text. That way all of the piece is read, where the transformer reads only its beginning otherwise.
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

/** One letter alone says nothing. */
const WORD = /[\p{L}\p{N}]{2,}/gu;
