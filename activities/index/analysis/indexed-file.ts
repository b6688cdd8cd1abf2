import { Filters, type WeaviateClient } from 'weaviate-client';
import { encodeMarked } from '../../../domain/git/text.ts';
import { filterOf, type IndexedRef } from '../store/refs.ts';
import type { ChunkProperties } from '../store/schema.ts';
import { blobOid } from './blob-oid.ts';

/** More chunks than any indexable file can have. */
const MOST_CHUNKS = 10_000;

/**
 * The text of a file at a ref, joined from its chunks in a collection. Null unless the chunks are the whole file: the
 * result must have the file's git blob oid.
 */
export async function readIndexedFile(
  client: WeaviateClient,
  collection: string,
  { repository, path, of }: { readonly repository: string; readonly path: string; readonly of: IndexedRef },
): Promise<string | null> {
  const ref = filterOf(of);
  const chunks = client.collections.use<string, ChunkProperties>(collection);
  const { objects } = await chunks.query.fetchObjects({
    filters: Filters.and(
      chunks.filter.byProperty('repo').equal(repository),
      chunks.filter.byProperty('path').equal(path),
      ...(ref === undefined ? [] : [chunks.filter.byProperty('refs').containsAny([ref])]),
    ),
    limit: MOST_CHUNKS,
    returnProperties: ['blob', 'ordinal', 'text'],
  });
  const versions = Map.groupBy(
    objects.map(({ properties }) => properties),
    ({ blob }) => blob,
  );
  for (const [blob, parts] of versions) {
    const text = parts
      .sort((a, b) => a.ordinal - b.ordinal)
      .map((part) => part.text)
      .join('');
    if (isTextOf(text, blob)) return text;
  }
  return null;
}

/** True when this text, in one of the encodings that `decodeText` reads, has this git blob oid. */
function isTextOf(text: string, blob: string): boolean {
  const bytes = Buffer.from(text);
  return [bytes, ...encodeMarked(text), westernBytes(text)].some(
    (content) => content !== null && blobOid(content, blob.length === 64 ? 64 : 40) === blob,
  );
}

/** The windows-1252 bytes of this text; null when it has none. */
function westernBytes(text: string): Uint8Array | null {
  const all = new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  const byteOf = new Map(Array.from(all, (character, byte) => [character, byte]));
  const bytes = Array.from(text, (character) => byteOf.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : null;
}
