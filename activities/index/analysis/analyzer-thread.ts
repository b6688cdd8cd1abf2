import { workerData } from 'piscina';
import { nameTerms, searchTerms, stems } from '../../../domain/catalog/search/identifiers.ts';
import { readableText, type ReadableText } from '../../../domain/git/notebook.ts';
import type { AnalyzedChunk, AnalyzedFile, FileFault, SourceFile } from './analysis.ts';
import { chunk, chunkLines } from './chunker.ts';
import type { Chunk } from './chunker.ts';
import { withoutEncodedData } from './encoded-data.ts';
import { embedEach } from '../models/embed-each.ts';
import { openShared } from '../models/embedder.ts';
import type { EmbeddingModel, SharedModel } from '../models/embedder.ts';
import { chunkEmbeddingText } from '../models/embedding-text.ts';
import { declaredLanguage, languageOf } from './language.ts';
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
  /** How often each file stopped a thread. Once: it is split by lines; more often: it has no chunks. */
  readonly stops: readonly number[];
  /** Int32: set to nonzero when the answer is no longer needed. */
  readonly cancelled: SharedArrayBuffer;
  /** Int32: the index of the file that the thread works on, plus one; 0 when it works on none. */
  readonly current: SharedArrayBuffer;
}

/** The result of a task; null when it was cancelled. */
export type ThreadAnswer<T> =
  | { readonly done: T | null; readonly faults: readonly FileFault[] }
  | { readonly failure: PackedFailure };

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
  /** Another process locked the cache: vectors may not be in it. */
  readonly wasLocked: boolean;
}

/**
 * Texts are embedded and cached in portions: cached vectors survive the process, and the thread can stop between two
 * portions.
 */
const PORTION = 32;
/** For a static model, which takes no longer for it: one transaction writes each page of the cache's index once. */
const STATIC_PORTION = 512;
/** Milliseconds. Only this thread waits. */
const BUSY_TIMEOUT = 3_000;

const settings = workerData as ThreadSettings;
const embedder = createOpening(openEmbedder);
let cache: VectorCache | undefined;
/** The cache was locked since the last answer. */
let wasLocked = false;

/** Chunks files and embeds the chunks. */
export function analyze(task: ThreadTask): Promise<ThreadAnswer<AnalyzedBatch>> {
  return answering(task, async (isCancelled, onFault) => {
    const analyzed: UnembeddedFile[] = [];
    const texts: EmbeddedText[] = [];
    for await (const { file, path, language, chunks } of chunkedFiles(task, isCancelled, onFault)) {
      const pathStems = spared(
        () => stems(path),
        [],
        (error) => onFault(file, error),
      );
      analyzed.push({ language, pathStems: pathStems.join(' '), chunks });
      for (const piece of chunks) texts.push({ text: chunkEmbeddingText(piece), file });
    }
    if (isCancelled()) return null;
    const embedding = await embed(texts, isCancelled, onFault);
    return embedding && { files: analyzed, ...embedding };
  });
}

/** Counts the chunks of files. */
export function count(task: ThreadTask): Promise<ThreadAnswer<number[]>> {
  return answering(task, async (isCancelled, onFault) => {
    const counts: number[] = [];
    for await (const { chunks } of chunkedFiles(task, isCancelled, onFault)) counts.push(chunks.length);
    return isCancelled() ? null : counts;
  });
}

type OnFault = (file: number, error: unknown) => void;

async function answering<T>(
  { cancelled }: ThreadTask,
  work: (isCancelled: () => boolean, onFault: OnFault) => Promise<T | null>,
): Promise<ThreadAnswer<T>> {
  const flag = new Int32Array(cancelled);
  const faults: FileFault[] = [];
  try {
    const done = await work(
      () => Atomics.load(flag, 0) !== 0,
      (file, error) => faults.push({ file, reason: packFailure(error).message }),
    );
    return { done, faults };
  } catch (error) {
    return { failure: packFailure(error) };
  }
}

interface ChunkedFile {
  /** Its index in the task. */
  readonly file: number;
  readonly path: string;
  readonly language: string | null;
  readonly chunks: readonly Omit<AnalyzedChunk, 'vector'>[];
}

/** The files of a task, one after the other, until it is cancelled. `current` names the file that is worked on. */
async function* chunkedFiles(
  { files, stops, current }: ThreadTask,
  isCancelled: () => boolean,
  onFault: OnFault,
): AsyncGenerator<ChunkedFile, void> {
  const working = new Int32Array(current);
  for (const [file, source] of files.entries()) {
    if (isCancelled()) return;
    Atomics.store(working, 0, file + 1);
    const split = await chunksOf(source, stops[file] ?? 0, (error) => onFault(file, error));
    Atomics.store(working, 0, 0);
    yield { file, path: source.path, ...split };
  }
}

/** Whatever fails on a file costs it only what failed: its syntax, its language, its search terms. */
async function chunksOf(
  { path, content, language: declared }: SourceFile,
  stops: number,
  onFault: (error: unknown) => void,
): Promise<Pick<ChunkedFile, 'language' | 'chunks'>> {
  if (stops > 1) return { language: null, chunks: [] };
  const { text, codeLanguage } = spared(() => indexedText(path, content), NO_TEXT, onFault);
  const language = spared(
    () => (declared === undefined ? null : declaredLanguage(declared)) ?? languageOf(path, text),
    null,
    onFault,
  );
  const syntax = codeLanguage === null ? language : declaredLanguage(codeLanguage);
  const pieces = stops > 0 ? chunkLines(text) : await chunk(text, syntax, onFault);
  const kept = pieces.filter((piece) => piece.text.trim() !== '');
  return { language, chunks: kept.map((piece) => spared(() => withStems(piece), withoutStems(piece), onFault)) };
}

const NO_TEXT: ReadableText = { text: '', codeLanguage: null };

function indexedText(path: string, content: Uint8Array): ReadableText {
  const { text, codeLanguage } = readableText(path, content);
  return { text: withoutEncodedData(text), codeLanguage };
}

/** The result of `work`, or `otherwise` when it throws. */
function spared<Result>(work: () => Result, otherwise: Result, onFault: (error: unknown) => void): Result {
  try {
    return work();
  } catch (error) {
    onFault(error);
    return otherwise;
  }
}

function withStems(piece: Chunk): Omit<AnalyzedChunk, 'vector'> {
  return {
    ...piece,
    stems: searchTerms(piece.text),
    scopeStems: nameTerms([...piece.scope, ...piece.symbols]).join(' '),
  };
}

function withoutStems(piece: Chunk): Omit<AnalyzedChunk, 'vector'> {
  return { ...piece, stems: '', scopeStems: '' };
}

/** The text of a chunk as the model gets it, and the index of its file. */
interface EmbeddedText {
  readonly text: string;
  readonly file: number;
}

/** Looks vectors up and embeds the missing distinct texts. */
async function embed(
  chunks: readonly EmbeddedText[],
  isCancelled: () => boolean,
  onFault: OnFault,
): Promise<Omit<AnalyzedBatch, 'files'> | null> {
  const texts = chunks.map(({ text }) => text);
  const model = await embedder.get();
  cache ??= openVectorCache(settings.cacheFile, { busyTimeout: BUSY_TIMEOUT, onLocked: () => (wasLocked = true) });
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
  const size = settings.model.kind === 'static' ? STATIC_PORTION : PORTION;
  for (let start = 0; start < here.length; start += size) {
    if (isCancelled()) return null;
    const portion = here.slice(start, start + size);
    const failed = (text: string, error: unknown): void =>
      onFault(chunks.find((each) => each.text === text)?.file ?? 0, error);
    const wanted = portion.map(({ text }) => text);
    const made = model && (await embedEach((some) => model.embed(some), wanted, { onFault: failed }));
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
  const missing = model ? [] : texts.flatMap((text, at) => (vectors.has(text) ? [] : [{ text, at }]));
  const answer = { vectors: all, missing, embedded, reused: texts.length - embedded, wasLocked };
  wasLocked = false;
  return answer;
}

async function openEmbedder(): Promise<EmbeddingModel | null> {
  const { model } = settings;
  return model.kind === 'remote' ? null : openShared(model);
}
