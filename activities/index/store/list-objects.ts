import { type Collection, Filters, type FilterValue } from 'weaviate-client';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { retried } from './retried.ts';
import type { ChunkProperties } from './schema.ts';

/** An object of the index and the path of its file. */
export interface InventoryEntry {
  readonly id: string;
  readonly path: string;
}

/** Weaviate's default QUERY_MAXIMUM_RESULTS. */
export const LIST_LIMIT = 10_000;

/**
 * All matching objects whose bucket is in [from, to): requested in smaller parts when one answer cannot hold them.
 * Throws `IndexIncomplete` when one bucket has more than Weaviate lists.
 */
export async function listObjects(
  chunks: Collection<ChunkProperties>,
  filters: FilterValue,
  from = 0,
  to = 256,
): Promise<InventoryEntry[]> {
  const bucket = chunks.filter.byProperty('bucket');
  const part = Filters.and(filters, bucket.greaterOrEqual(from), bucket.lessThan(to));
  const { objects } = await retried(() =>
    chunks.query.fetchObjects({ filters: part, limit: LIST_LIMIT, returnProperties: ['path'] }),
  );
  if (objects.length < LIST_LIMIT) return objects.map(({ uuid, properties }) => ({ id: uuid, path: properties.path }));
  if (to - from === 1) {
    throw new LonghaulError('IndexIncomplete', 'Weaviate holds more matching objects than can be listed.');
  }
  const middle = (from + to) >> 1;
  return [...(await listObjects(chunks, filters, from, middle)), ...(await listObjects(chunks, filters, middle, to))];
}
