import path from 'node:path';
import type { Analysis, AnalyzedFile, SourceFile } from './analysis.ts';
import { createAnalyzerPool } from './analyzer-pool.ts';
import type { PoolSize } from './analyzer-pool.ts';
import type { AnalyzedBatch } from './analyzer-thread.ts';
import { sha256 } from './digest.ts';
import { openShared, shareModel } from './embedder.ts';
import type { EmbeddingModel, ModelConfig, ModelOptions } from './embedder.ts';
import { queryEmbeddingText } from './embedding-text.ts';
import { grammarsDigest } from './grammar-files.ts';
import { openVectorCache } from './vector-cache.ts';
import type { CountKey, VectorCache } from './vector-cache.ts';

export type { Analysis, AnalyzedFile, SourceFile } from './analysis.ts';

/** How many chunks files have under this analyzer, remembered between runs. */
export interface ChunkCounts {
  /** Undefined when it was never put. */
  get(file: CountKey): number | undefined;
  put(files: readonly (CountKey & { readonly chunks: number })[]): void;
}

/** Makes of files what the index holds of them. Its work is done by threads; a thread begins with the first file. */
export interface Analyzer {
  /** Names everything that an analysis depends on besides path and content, 16 hex digits. */
  readonly digest: string;
  /** Length of the vectors. */
  readonly dimensions: number;
  readonly counts: ChunkCounts;
  /** Rejects with the signal's reason at once when it is aborted; what is under way ends by itself. */
  analyze(files: readonly SourceFile[], options?: { readonly signal?: AbortSignal }): Promise<Analysis>;
  /** How many chunks each file has, without embedding any. */
  countChunks(files: readonly SourceFile[], options?: { readonly signal?: AbortSignal }): Promise<number[]>;
  /** The vector of a question. Starts no thread. */
  embedQuery(text: string): Promise<Float32Array>;
  /** Ends the threads; what is under way is rejected. */
  close(): Promise<void>;
}

/** How {@link createAnalyzer} works. */
export interface AnalyzerOptions extends ModelOptions {
  readonly model: ModelConfig;
  /** Where vectors and counts are remembered. */
  readonly cacheDir: string;
  readonly threads?: PoolSize;
}

/** Version of what grammars and model do not name: the cutting into chunks, search terms, languages, embedded texts. */
const ANALYSIS_VERSION = 'analysis-2';

/** Opens the model and everything else that is slow. Throws `InvalidConfiguration` when the model cannot be used. */
export async function createAnalyzer(options: AnalyzerOptions): Promise<Analyzer> {
  const [model, grammars] = await Promise.all([shareModel(options.model, options), grammarsDigest(options.cacheDir)]);
  const digest = sha256([ANALYSIS_VERSION, grammars, model.digest].join(' ')).slice(0, 16);
  const cacheFile = path.join(options.cacheDir, 'analysis-1.sqlite');
  const pool = createAnalyzerPool({ model, cacheFile }, options.threads);
  let cache: VectorCache | undefined;
  let own: Promise<EmbeddingModel> | undefined;

  async function analyze(files: readonly SourceFile[], { signal }: { signal?: AbortSignal } = {}): Promise<Analysis> {
    const batches = await pool.analyze(files, signal);
    return {
      files: batches.flatMap((batch) => withVectors(batch, model.dimensions)),
      embedded: batches.reduce((sum, { embedded }) => sum + embedded, 0),
      reused: batches.reduce((sum, { reused }) => sum + reused, 0),
    };
  }

  return {
    digest,
    dimensions: model.dimensions,
    counts: {
      get: (file) => (cache ??= openVectorCache(cacheFile)).getCounts(digest, [file])[0],
      put: (files) => (cache ??= openVectorCache(cacheFile)).putCounts(digest, files),
    },
    analyze,
    countChunks: async (files, { signal } = {}) => (await pool.count(files, signal)).flat(),
    async embedQuery(text) {
      const [vector] = await (await (own ??= openShared(model))).embed([queryEmbeddingText(text)]);
      return vector ?? new Float32Array(model.dimensions);
    },
    async close() {
      await pool.close();
      cache?.close();
      await (await own)?.close();
    },
  };
}

function withVectors({ files, vectors }: AnalyzedBatch, dimensions: number): AnalyzedFile[] {
  let at = 0;
  return files.map((file) => ({
    ...file,
    chunks: file.chunks.map((chunk) => ({ ...chunk, vector: vectors.slice(at, (at += dimensions)) })),
  }));
}
