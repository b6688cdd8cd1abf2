import type { AnalyzedBatch } from '../analysis/analyzer-thread.ts';
import { requestsOf } from './remote-model.ts';
import type { RemoteModel } from './remote-model.ts';

/**
 * Embeds the missing distinct texts of these batches and fills in the vectors. Each answer is cached before the next
 * request: if one fails, those in progress are still awaited and cached, and a retry requests only the rest. Returns
 * the number of embedded texts.
 */
export async function embedMissing(
  model: RemoteModel,
  batches: readonly AnalyzedBatch[],
  keep: (entries: readonly (readonly [text: string, vector: Float32Array])[]) => void,
  signal: AbortSignal,
): Promise<number> {
  const texts = [...new Set(batches.flatMap(({ missing }) => missing.map(({ text }) => text)))];
  const vectors = new Map<string, Float32Array>();
  const requests = requestsOf(texts, model.batch).values();
  const failures: unknown[] = [];

  async function askOneAfterTheOther(): Promise<void> {
    for (const request of requests) {
      if (failures.length > 0) return;
      try {
        const made = await model.embed(request, { signal });
        const entries = request.map((text, i) => [text, made[i] ?? new Float32Array(model.dimensions)] as const);
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
  return texts.length;
}
