import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { ANALYSIS_CACHE } from '../analysis/analyzer.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { queryEmbeddingText, rescoringText } from './embedding-text.ts';
import type { RescoredChunk } from './embedding-text.ts';
import { readModelFiles } from './model-files.ts';
import { createOpening } from '../store/opening.ts';
import { openVectorCache, textKey } from '../store/vector-cache.ts';
import type { VectorCache } from '../store/vector-cache.ts';
import { createWordPiece } from './wordpiece.ts';

/** Compares a question with a few pieces of code by the transformer, which is too slow to do it with all of them. */
export interface Rescorer {
  /** The cosine of the question and each piece, in order. */
  similarities(query: string, chunks: readonly RescoredChunk[]): Promise<number[]>;
  close(): Promise<void>;
}

/** Version of everything between a piece of code and its vector besides the transformer. */
const RECIPE = 'rescore-words-128-1';
/** Half of what the transformer can read takes less than half of the time, and finds as much. */
const MOST_TOKENS = 128;
/** The others stay free for whoever else searches. */
const MOST_PROCESSORS = 4;

/**
 * The rescorer of the model in `modelFolder`, or in the folder that it finds; vectors of pieces are kept in `cacheDir` and made
 * once; when it cannot keep them, they are made again and a warning of the process says so. The model is opened by the first
 * question: throws `InvalidConfiguration` there when it cannot be used.
 */
export function createRescorer(modelFolder: string | (() => Promise<string>), cacheDir: string): Rescorer {
  const opened = createOpening(open);
  let cache: VectorCache | undefined;
  let isWarned = false;

  async function open(): Promise<EmbeddingModel> {
    const folder = typeof modelFolder === 'string' ? modelFolder : await modelFolder();
    // only here, because its native library is slow to load
    const [files, { createOnnxModel }] = await Promise.all([
      readModelFiles(folder, cacheDir),
      import('./onnx-model.ts'),
    ]);
    const words = createWordPiece(await readFile(files.tokenizer, 'utf8'));
    const digest = sha256(`${RECIPE} ${files.digest}`).slice(0, 16);
    return createOnnxModel(digest, files.onnx, words, {
      mostTokens: MOST_TOKENS,
      processors: Math.min(availableParallelism(), MOST_PROCESSORS),
    });
  }

  /** What the cache says; null, and once a warning, when it cannot be used: it only saves time. */
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
      const model = await opened.get();
      const entries = chunks.map(rescoringText).map((text) => ({ text, key: textKey(text) }));
      const keys = entries.map(({ key }) => key);
      const vectors = fromCache((kept) => kept.getVectors(model.digest, keys)) ?? keys.map(() => undefined);
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
        fromCache((kept) => kept.putVectors(model.digest, fresh));
      }
      return vectors.map((vector) => (question && vector ? dot(question, vector) : 0));
    },
    async close() {
      const model = await opened.current();
      cache?.close();
      await model?.close();
    },
  };
}

/** The cosine of two vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
