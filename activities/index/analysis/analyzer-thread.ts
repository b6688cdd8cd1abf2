import { workerData } from 'piscina';
import { nameTerms, operatorTerms, stems } from '../../../domain/catalog/search/identifiers.ts';
import type { AnalyzedChunk, AnalyzedFile, SourceFile } from './analysis.ts';
import { chunk } from './chunker.ts';
import type { Chunk } from './chunker.ts';
import { decodeText } from './decode.ts';
import { openShared } from '../models/embedder.ts';
import type { EmbeddingModel, SharedModel } from '../models/embedder.ts';
import { chunkEmbeddingText } from '../models/embedding-text.ts';
import { languageOf } from './language.ts';
import { createOpening } from '../store/opening.ts';
import { packFailure } from './packed-failure.ts';
import type { PackedFailure } from './packed-failure.ts';
import { openVectorCache, textKey } from '../store/vector-cache.ts';
import type { VectorCache } from '../store/vector-cache.ts';

/** Settings shared by all threads of an analyzer. */
export interface ThreadSettings {
  /** A remote model is not called here: texts without a vector are returned to the main thread. */
  readonly model: SharedModel | { readonly kind: 'remote'; readonly digest: string; readonly dimensions: number };
  readonly cacheFile: string;
}

/** Files for one thread. */
export interface ThreadTask {
  readonly files: readonly SourceFile[];
  /** Int32: set to nonzero when the answer is no longer needed. */
  readonly cancelled: SharedArrayBuffer;
}

/** The result of a task; null when it was cancelled. */
export type ThreadAnswer<T> = { readonly done: T | null } | { readonly failure: PackedFailure };

/** An {@link AnalyzedFile} without vectors. */
export interface UnembeddedFile extends Omit<AnalyzedFile, 'chunks'> {
  readonly chunks: readonly Omit<AnalyzedChunk, 'vector'>[];
}

/** Analyzed files; the vectors of all chunks one after another. */
export interface AnalyzedBatch {
  readonly files: readonly UnembeddedFile[];
  readonly vectors: Float32Array;
  /**
   * Texts that a remote model still has to embed, with the index of the chunks that they belong to, counted over all
   * files.
   */
  readonly missing: readonly { readonly text: string; readonly at: number }[];
  readonly embedded: number;
  readonly reused: number;
}

/**
 * Texts are embedded and cached in portions: cached vectors survive the process, and the thread can stop between two
 * portions.
 */
const PORTION = 32;
/** Milliseconds. Only this thread waits. */
const BUSY_TIMEOUT = 60_000;

const settings = workerData as ThreadSettings;
const embedder = createOpening(openEmbedder);
let cache: VectorCache | undefined;

/** Chunks files and embeds the chunks. */
export function analyze({ files, cancelled }: ThreadTask): Promise<ThreadAnswer<AnalyzedBatch>> {
  return answering(cancelled, async (isCancelled) => {
    const analyzed: UnembeddedFile[] = [];
    const texts: string[] = [];
    for (const file of files) {
      if (isCancelled()) return null;
      const { language, chunks } = await chunksOf(file);
      analyzed.push({ language, pathStems: stems(file.path).join(' '), chunks: chunks.map(withStems) });
      for (const piece of chunks) texts.push(chunkEmbeddingText(piece));
    }
    const embedding = await embed(texts, isCancelled);
    return embedding && { files: analyzed, ...embedding };
  });
}

/** Counts the chunks of files. */
export function count({ files, cancelled }: ThreadTask): Promise<ThreadAnswer<number[]>> {
  return answering(cancelled, async (isCancelled) => {
    const counts: number[] = [];
    for (const file of files) {
      if (isCancelled()) return null;
      counts.push((await chunksOf(file)).chunks.length);
    }
    return counts;
  });
}

async function answering<T>(
  cancelled: SharedArrayBuffer,
  work: (isCancelled: () => boolean) => Promise<T | null>,
): Promise<ThreadAnswer<T>> {
  const flag = new Int32Array(cancelled);
  try {
    return { done: await work(() => Atomics.load(flag, 0) !== 0) };
  } catch (error) {
    return { failure: packFailure(error) };
  }
}

async function chunksOf({ path, content }: SourceFile): Promise<{ language: string | null; chunks: Chunk[] }> {
  const text = decodeText(content);
  const language = languageOf(path, text);
  const chunks = await chunk(text, language);
  return { language, chunks: chunks.filter((piece) => piece.text.trim() !== '') };
}

function withStems(piece: Chunk): Omit<AnalyzedChunk, 'vector'> {
  return {
    ...piece,
    stems: [...stems(piece.text), ...operatorTerms(piece.text)].join(' '),
    scopeStems: nameTerms([...piece.scope, ...piece.symbols]).join(' '),
  };
}

/** Looks vectors up and embeds the missing distinct texts. */
async function embed(
  texts: readonly string[],
  isCancelled: () => boolean,
): Promise<Omit<AnalyzedBatch, 'files'> | null> {
  const model = await embedder.get();
  cache ??= openVectorCache(settings.cacheFile, { busyTimeout: BUSY_TIMEOUT });
  const { digest, dimensions } = settings.model;
  const distinct = [...new Set(texts)].map((text) => ({ text, key: textKey(text) }));
  const found = cache.getVectors(
    digest,
    distinct.map(({ key }) => key),
  );
  const vectors = new Map<string, Float32Array>();
  const unknown = distinct.filter(({ text }, i) => {
    const vector = found[i];
    if (vector) vectors.set(text, vector);
    return !vector;
  });
  const here = model ? unknown : [];
  let embedded = 0;
  for (let start = 0; start < here.length; start += PORTION) {
    if (isCancelled()) return null;
    const portion = here.slice(start, start + PORTION);
    const made = await model?.embed(portion.map(({ text }) => text));
    const entries = portion.flatMap(({ text, key }, i) => {
      const vector = made?.[i];
      if (!vector) return [];
      vectors.set(text, vector);
      return [[key, vector] as const];
    });
    embedded += cache.putVectors(digest, entries);
  }
  const all = new Float32Array(texts.length * dimensions);
  for (const [i, text] of texts.entries()) all.set(vectors.get(text) ?? [], i * dimensions);
  const missing = texts.flatMap((text, at) => (vectors.has(text) ? [] : [{ text, at }]));
  return { vectors: all, missing, embedded, reused: texts.length - embedded };
}

async function openEmbedder(): Promise<EmbeddingModel | null> {
  const { model } = settings;
  return model.kind === 'remote' ? null : openShared(model);
}
