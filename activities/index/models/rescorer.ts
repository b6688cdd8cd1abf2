import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { ANALYSIS_CACHE } from '../analysis/analyzer.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { queryEmbeddingText, rescoringText } from './embedding-text.ts';
import type { RescoredChunk } from './embedding-text.ts';
import { readModelFiles } from './model-files.ts';
import { createOpening } from '../store/opening.ts';
import { openVectorCache, textKey } from '../store/vector-cache.ts';
import type { VectorCache } from '../store/vector-cache.ts';
import { startTransformer, type ThreadedTransformer } from './threaded-transformer.ts';
import { createWordPiece } from './wordpiece.ts';

/** Compares a query with a few chunks by the transformer, which is too slow for all chunks. */
export interface Rescorer {
  /** The cosine similarity of the query and each chunk, in order. */
  similarities(query: string, chunks: readonly RescoredChunk[]): Promise<number[]>;
  /**
   * Starts to open the model in its thread, for a process whose first query comes soon. Resolves when the thread has
   * started. Never rejects: the first query reports why the model cannot be used.
   */
  prepare(): Promise<void>;
  /** Ends its thread. Running calls are rejected. */
  close(): Promise<void>;
}

/** An open model. */
interface RescoringModel {
  /** Identifies everything that a vector depends on in addition to the text. */
  readonly digest: string;
  readonly embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>;
}

/** Version of the steps from a chunk to its vector, except the transformer. */
const RECIPE = 'rescore-words-128-1';
/** Half of the transformer's maximum takes less than half of the time, and finds as much. */
const MOST_TOKENS = 128;
/** The other processors stay free for other searches. */
const MOST_PROCESSORS = 4;

/**
 * The rescorer of the model in `modelFolder`, or in the folder that the function finds. Vectors of chunks are cached in
 * `cacheDir`; if that fails, they are recomputed and the process emits a warning. The first query opens the model, and
 * throws `InvalidConfiguration` when it cannot be used.
 */
export function createRescorer(modelFolder: string | (() => Promise<string>), cacheDir: string): Rescorer {
  const opened = createOpening(open);
  const starts = new EventEmitter();
  let transformer: ThreadedTransformer | undefined;
  let isClosed = false;
  let cache: VectorCache | undefined;
  let isWarned = false;

  async function open(): Promise<RescoringModel> {
    const files = await readModelFiles(typeof modelFolder === 'string' ? modelFolder : await modelFolder(), cacheDir);
    if (isClosed) throw new Error('the rescorer is closed');
    const processors = Math.min(availableParallelism(), MOST_PROCESSORS);
    const thread = startTransformer({ onnx: files.onnx, processors });
    transformer = thread;
    starts.emit('start');
    try {
      const words = createWordPiece(await readFile(files.tokenizer, 'utf8'));
      // throws when the transformer cannot be opened
      await thread.embed([]);
      return {
        digest: sha256(`${RECIPE} ${files.digest}`).slice(0, 16),
        embed: (texts) => thread.embed(texts.map((text) => words.encodeSequence(text, MOST_TOKENS))),
      };
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** The cached value; null, with one warning, when the cache cannot be used: it only saves time. */
  function fromCache<Result>(ask: (cache: VectorCache) => Result): Result | null {
    try {
      return ask((cache ??= openVectorCache(path.join(cacheDir, ANALYSIS_CACHE))));
    } catch (error) {
      if (!(error instanceof LonghaulError && error.type === 'DiskFailed')) throw error;
      if (!isWarned) process.emitWarning(`Searches are slower than they need to be: ${error.message}`);
      isWarned = true;
      return null;
    }
  }

  return {
    async similarities(query, chunks) {
      if (isClosed) throw new Error('the rescorer is closed');
      const model = await opened.get();
      const entries = chunks.map(rescoringText).map((text) => ({ text, key: textKey(text) }));
      const keys = entries.map(({ key }) => key);
      const vectors =
        fromCache((vectorCache) => vectorCache.getVectors(model.digest, keys)) ?? keys.map(() => undefined);
      const unknown = entries.flatMap((entry, at) => (vectors[at] ? [] : [{ ...entry, at }]));
      const [question, ...embedded] = await model.embed([
        queryEmbeddingText(query),
        ...unknown.map(({ text }) => text),
      ]);
      const made = unknown.flatMap(({ key, at }, index) => {
        const vector = embedded[index];
        return vector ? [{ key, at, vector }] : [];
      });
      for (const { at, vector } of made) vectors[at] = vector;
      if (made.length > 0) {
        const fresh = made.map(({ key, vector }) => [key, vector] as const);
        fromCache((vectorCache) => vectorCache.putVectors(model.digest, fresh));
      }
      return vectors.map((vector) => (question && vector ? dot(question, vector) : 0));
    },
    async prepare() {
      const opening = opened.get();
      // the first query reports a failure
      const failed = opening.catch(() => undefined);
      if (transformer === undefined) await Promise.race([once(starts, 'start'), failed]);
    },
    async close() {
      isClosed = true;
      await transformer?.close();
      await opened.current();
      cache?.close();
    },
  };
}

/** The cosine of two vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
