import type { FileFault } from '../analysis/analysis.ts';
import type { AnalyzedBatch } from '../analysis/analyzer-thread.ts';
import { packFailure } from '../analysis/packed-failure.ts';
import { embedEach } from './embed-each.ts';
import { requestsOf, TextsRefused } from './remote-model.ts';
import type { RemoteModel } from './remote-model.ts';

/**
 * Embeds the missing distinct texts of these batches and fills in the vectors. Each answer is cached before the next
 * request: if one fails, those in progress are still awaited and cached, and a retry requests only the rest. A chunk
 * whose text the server refuses keeps the vector 0, and is found by its words only. Returns the number of embedded
 * texts, and the files with refused ones.
 */
export async function embedMissing(
  model: RemoteModel,
  batches: readonly AnalyzedBatch[],
  keep: (entries: readonly (readonly [text: string, vector: Float32Array])[]) => void,
  signal: AbortSignal,
): Promise<{ readonly embedded: number; readonly faults: readonly FileFault[] }> {
  const texts = [...new Set(batches.flatMap(({ missing }) => missing.map(({ text }) => text)))];
  const vectors = new Map<string, Float32Array>();
  const requests = requestsOf(texts, model.batch).values();
  const failures: unknown[] = [];
  const refused = new Map<string, unknown>();

  async function askOneAfterTheOther(): Promise<void> {
    for (const request of requests) {
      if (failures.length > 0) return;
      try {
        const made = await embedEach((some) => model.embed(some, { signal }), request, {
          isOfText: (error) => error instanceof TextsRefused,
          onFault: (text, error) => void refused.set(text, error),
        });
        const entries = request.flatMap((text, i): [string, Float32Array][] => {
          const vector = made[i];
          return vector === undefined ? [] : [[text, vector]];
        });
        keep(entries);
        for (const [text, vector] of entries) vectors.set(text, vector);
      } catch (error) {
        failures.push(error);
      }
    }
  }

  await Promise.all(Array.from({ length: model.concurrency }, askOneAfterTheOther));
  if (failures.length > 0) throw failures[0];
  for (const batch of batches) {
    for (const { text, at } of batch.missing) batch.vectors.set(vectors.get(text) ?? [], at * model.dimensions);
  }
  return { embedded: vectors.size, faults: [...faultsOf(batches, refused)] };
}

/** The files that have chunks with refused texts. */
function* faultsOf(
  batches: readonly AnalyzedBatch[],
  refused: ReadonlyMap<string, unknown>,
): Generator<FileFault, void> {
  let first = 0;
  for (const { files, missing } of batches) {
    const owners = files.flatMap(({ chunks }, file) => chunks.map(() => first + file));
    for (const { text, at } of missing) {
      const file = owners[at];
      if (file !== undefined && refused.has(text)) yield { file, reason: packFailure(refused.get(text)).message };
    }
    first += files.length;
  }
}
