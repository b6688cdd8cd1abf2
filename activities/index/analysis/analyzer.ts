import path from 'node:path';
import type { Analysis, AnalyzedFile, FileFault, SourceFile } from './analysis.ts';
import { processCounts } from '../../telemetry/process-counts.ts';
import { createAnalyzerPool } from './analyzer-pool.ts';
import type { PoolSize } from './analyzer-pool.ts';
import type { AnalyzedBatch, ThreadSettings } from './analyzer-thread.ts';
import { segmentationSample } from '../../../domain/catalog/search/unspaced.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { openShared, shareModel } from '../models/embedder.ts';
import type { EmbeddingModel, ModelConfig, ModelOptions } from '../models/embedder.ts';
import { queryEmbeddingText } from '../models/embedding-text.ts';
import { grammarsDigest } from './grammar-files.ts';
import { createOpening } from '../store/opening.ts';
import { embedMissing } from '../models/remote-embedding.ts';
import type { RemoteModel } from '../models/remote-model.ts';
import { openVectorCache, textKey } from '../store/vector-cache.ts';
import type { CountKey, VectorCache } from '../store/vector-cache.ts';

export type { Analysis, AnalyzedFile, SourceFile } from './analysis.ts';

/** The number of chunks of files under this analyzer, cached across runs: deleting a file then needs no content. */
export interface ChunkCounts {
  /** Undefined when unknown. */
  get(file: CountKey): number | undefined;
  /** Remembers the counts of files. */
  put(files: readonly (CountKey & { readonly chunks: number })[]): void;
}

/** Options of an analysis. */
export interface AnalyzeOptions {
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Id of the repository, which only reports of faults contain. */
  readonly repository?: string;
}

/** A file that is indexed without its syntax, or without what else failed on it. */
export interface FaultyFile {
  /** Empty when it was not given. */
  readonly repository: string;
  readonly path: string;
  readonly reason: string;
}

/** Turns files into the chunks that the index holds. Threads do the work; a thread starts with the first file. */
export interface Analyzer {
  /** Identifies everything that an analysis depends on in addition to path and content, 16 hex digits. */
  readonly digest: string;
  /** Identifies the model alone: queries and chunks are comparable under the same digest. */
  readonly modelDigest: string;
  /** Length of the vectors. */
  readonly dimensions: number;
  readonly counts: ChunkCounts;
  /** Rejects immediately with the signal's reason when it is aborted; threads finish their current portion. */
  analyze(files: readonly SourceFile[], options?: AnalyzeOptions): Promise<Analysis>;
  /** How many chunks each file has, without embedding any. */
  countChunks(files: readonly SourceFile[], options?: AnalyzeOptions): Promise<number[]>;
  /** The vector of a query. Starts no thread. */
  embedQuery(text: string): Promise<Float32Array>;
  /** Stops the threads, closes files, and rejects analyses in progress. May be called repeatedly. */
  close(): Promise<void>;
}

/** Options of {@link createAnalyzer}. */
export interface AnalyzerOptions extends ModelOptions {
  /** A local model's location, or an open remote model, which `close` then closes. */
  readonly model: ModelConfig | RemoteModel;
  /** Folder for cached vectors and counts. */
  readonly cacheDir: string;
  /** How many threads analyze. @default 1 when idle, at most one for each processor */
  readonly threads?: PoolSize;
  /** Receives each file that a grammar, tokenizer, decoder or model failed on: once, however often it is analyzed. */
  readonly onFault?: (file: FaultyFile) => void;
  /** Called once, with its file, when another process locked the cache for too long: only time is lost. */
  readonly onLocked?: (cacheFile: string) => void;
}

/** Version of what grammars and model do not identify: chunking rules, search terms, languages, embedded texts. */
const ANALYSIS_VERSION = 'analysis-4';

/** Name of the file with cached vectors and counts in the cache folder. */
export const ANALYSIS_CACHE = 'analysis-1.sqlite';

/** Loads the model and everything else that is slow. Throws `InvalidConfiguration` when the model cannot be used. */
export async function createAnalyzer(options: AnalyzerOptions): Promise<Analyzer> {
  const [{ model, remote, open }, grammars] = await Promise.all([
    prepareModel(options.model, options),
    grammarsDigest(options.cacheDir),
  ]);
  const digest = sha256([ANALYSIS_VERSION, segmentationSample(), grammars, model.digest].join(' ')).slice(0, 16);
  const cacheFile = path.join(options.cacheDir, ANALYSIS_CACHE);
  const pool = createAnalyzerPool({ model, cacheFile }, options.threads);
  let cache: VectorCache | undefined;
  let isLockReported = false;
  const own = createOpening(open);
  const closing = new AbortController();

  const reported = new Set<string>();

  function report(files: readonly SourceFile[], faults: readonly FileFault[], repository = ''): void {
    for (const { file, reason } of faults) {
      const { path: name = '', content = new Uint8Array() } = files[file] ?? {};
      const key = [repository, name, sha256(content)].join('\0');
      if (reported.has(key)) continue;
      reported.add(key);
      options.onFault?.({ repository, path: name, reason });
    }
  }

  function openCache(): VectorCache {
    return (cache ??= openVectorCache(cacheFile, { onLocked: reportLock }));
  }

  function reportLock(): void {
    if (!isLockReported) options.onLocked?.(cacheFile);
    isLockReported = true;
  }

  async function analyze(files: readonly SourceFile[], { signal, repository }: AnalyzeOptions = {}): Promise<Analysis> {
    const { done: batches, faults } = await pool.analyze(files, signal);
    report(files, faults, repository);
    if (batches.some(({ wasLocked }) => wasLocked)) reportLock();
    const chunks = batches.reduce((sum, { embedded, reused }) => sum + embedded + reused, 0);
    const stop = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
    const requested = remote && (await embedMissing(remote, batches, keep, stop));
    report(files, requested?.faults ?? [], repository);
    const embedded = requested?.embedded ?? batches.reduce((sum, batch) => sum + batch.embedded, 0);
    const reused = chunks - embedded;
    processCounts.textsEmbedded += embedded;
    processCounts.embeddingsReused += reused;
    return { files: batches.flatMap((batch) => withVectors(batch, model.dimensions)), embedded, reused };
  }

  function keep(entries: readonly (readonly [text: string, vector: Float32Array])[]): void {
    openCache().putVectors(
      model.digest,
      entries.map(([text, vector]) => [textKey(text), vector]),
    );
  }

  return {
    digest,
    modelDigest: model.digest,
    dimensions: model.dimensions,
    counts: {
      get: (file) => openCache().getCounts(digest, [file])[0],
      put: (files) => openCache().putCounts(digest, files),
    },
    analyze,
    async countChunks(files, { signal, repository } = {}) {
      const { done, faults } = await pool.count(files, signal);
      report(files, faults, repository);
      return done.flat();
    },
    async embedQuery(text) {
      const [vector] = await (await own.get()).embed([queryEmbeddingText(text)]);
      return vector ?? new Float32Array(model.dimensions);
    },
    async close() {
      cache?.close();
      cache = undefined;
      if (closing.signal.aborted) return;
      closing.abort(new Error('the analyzer was closed'));
      await pool.close();
      await (remote ?? (await own.current()))?.close();
    },
  };
}

/** The model settings for threads, the model itself if it is remote, and a function that embeds queries. */
async function prepareModel(
  model: ModelConfig | RemoteModel,
  options: ModelOptions,
): Promise<{ model: ThreadSettings['model']; remote: RemoteModel | null; open: () => Promise<EmbeddingModel> }> {
  if ('embed' in model) {
    const { digest, dimensions } = model;
    return { model: { kind: 'remote', digest, dimensions }, remote: model, open: () => Promise.resolve(model) };
  }
  const shared = await shareModel(model, options);
  return { model: shared, remote: null, open: () => openShared(shared) };
}

function withVectors({ files, vectors }: AnalyzedBatch, dimensions: number): AnalyzedFile[] {
  let at = 0;
  return files.map((file) => ({
    ...file,
    chunks: file.chunks.map((chunk) => ({ ...chunk, vector: vectors.slice(at, (at += dimensions)) })),
  }));
}
