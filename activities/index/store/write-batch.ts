import { LonghaulError } from '../../../domain/shared/failures.ts';
import { processCounts } from '../../telemetry/process-counts.ts';
import { pause, retried, TRIES } from './retried.ts';
import type { ChunkProperties } from './schema.ts';
import { type IndexClient, readOnlyFailure } from './weaviate.ts';

/** One object of the index: a chunk of code with its vector. */
export interface IndexObject {
  readonly id: string;
  readonly properties: Omit<ChunkProperties, 'bucket'>;
  readonly vector: Float32Array;
}

/** The bucket of an object: the first byte of its id. */
export function bucketOf(id: string): number {
  return Number.parseInt(id.slice(0, 2), 16);
}

/**
 * Writes objects to a collection in one request, and tries again those that Weaviate refuses. Throws `IndexIncomplete`
 * with the reason when an object still cannot be stored, `WeaviateReadOnly`. An abort ends it at once.
 */
export async function writeBatch(
  { batches, place }: IndexClient,
  collection: string,
  batch: readonly IndexObject[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // OpenTelemetry has dozens of modules, and a search writes nothing
  const { inSpan } = await import('../../telemetry/span.ts');
  let left = batch.map(({ id, properties, vector }) => ({
    id,
    properties: { ...properties, bucket: bucketOf(id) },
    vector,
  }));
  for (let attempt = 1; ; attempt++) {
    const refused = await inSpan('weaviate batch', { 'db.collection.name': collection, objects: left.length }, () =>
      retried(() => batches.insert(collection, left, signal), signal),
    );
    processCounts.objectsWritten += left.length - refused.length;
    if (refused.length === 0) return;
    const readOnly = readOnlyFailure(place, refused[0]?.reason ?? '');
    if (readOnly !== null) throw readOnly;
    if (attempt === TRIES) {
      throw new LonghaulError(
        'IndexIncomplete',
        `Weaviate refused ${refused.length} of ${batch.length} objects: ${refused[0]?.reason || 'no reason given'}`,
      );
    }
    left = refused.flatMap(({ index }) => left[index] ?? []);
    await pause(attempt, signal);
  }
}
