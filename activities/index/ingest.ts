import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';
import type { Change, FilePath, FileWritten, FullReason, OldFile, SkipReason } from '../../domain/git/change.ts';
import { blankReceipt, NO_OBJECTS, type Receipt, xorIds } from '../../domain/catalog/index/receipt.ts';
import type { Snapshot } from '../../domain/git/snapshot.ts';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import { skipByContent } from '../../domain/git/skip.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { processCounts } from '../telemetry/process-counts.ts';
import type { AnalyzedFile, Analyzer, ChunkCounts } from './analysis/analyzer.ts';
import { begin, makeSure } from './store/attempt.ts';
import { objectIds } from './store/object-id.ts';
import { doubtOthers, filterOf, HEAD_ALONE, heldToo, type IndexedRef, release, type Released } from './store/refs.ts';
import type { IndexStore } from './store/store.ts';
import type { IndexObject } from './store/write-batch.ts';
import { createSemaphore } from '../../platform/semaphore.ts';

/**
 * The changes from one snapshot to another, as {@link ingest} reads them: from mgit's differential or a spooled stream.
 */
export interface ChangeSource {
  readonly to: Snapshot;
  /** Why every file of the new tree comes as an `add`; null when only changes come. */
  readonly full: FullReason | null;
  /** The changes, in the order of the producer. Read once. */
  changes(): AsyncIterable<Change>;
  /**
   * Reads blobs of the old side, in this order, whose chunks must be counted again; null when the producer cannot
   * provide them.
   */
  readonly readOld: ((files: readonly OldFile[]) => AsyncIterable<{ readonly content: Uint8Array | null }>) | null;
}

/** Dependencies of {@link ingest}. */
export interface IngestTools {
  readonly store: IndexStore;
  readonly analyzer: Analyzer;
  readonly counts: ChunkCounts;
}

/** Progress of an ingestion, for heartbeats and progress bars. */
export interface IngestProgress {
  readonly files: number;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
}

/** The result of an ingestion. */
export interface IngestResult extends IngestProgress {
  readonly receipt: Receipt;
  readonly filesChanged: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
  readonly skipped: Partial<Record<SkipReason, number>>;
}

/**
 * Files are analysed and written in batches of this size: about a thousand objects, some megabytes with everything made
 * of them.
 */
const BATCH_BYTES = 1_000_000;
const BATCH_FILES = 250;
/**
 * Batches between reading and storing, over all repositories of this process: enough that every processor can analyse
 * one while others are written. A repository waits with one batch, and back-pressure reaches git's `cat-file`: memory
 * does not grow with the number of repositories.
 */
const permits = createSemaphore(availableParallelism() + 2);

/**
 * Makes the index of one ref of a repository equal to `source.to`: reads, chunks, embeds, writes, deletes old objects,
 * and writes the receipt last. Objects that other refs hold too (`of`; by default none) are written once, with all
 * their refs. It may be killed at any point and repeated: objects have deterministic ids, and until the new receipt is
 * written the old one stays, marked with the target of this run. Throws `IndexIncomplete` when Weaviate does not hold
 * the written objects, `RepositoryBusy` when another run took over.
 */
export async function ingest(
  { store, analyzer, counts }: IngestTools,
  repository: RepositoryAddress,
  source: ChangeSource,
  previous: Receipt | null,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: IngestProgress) => void;
    readonly of?: IndexedRef;
  },
): Promise<IngestResult> {
  const { signal, of = HEAD_ALONE } = options;
  const { ref } = of;
  const { digest } = analyzer;
  const full = source.full !== null;
  const base = full ? null : previous;
  const desired = full ? new Set<string>() : null;
  const skipped: Partial<Record<SkipReason, number>> = {};
  const state = {
    files: base?.files ?? 0,
    objects: base?.objects ?? 0,
    xor: base?.xor ?? NO_OBJECTS,
    seen: 0,
    objectsWritten: 0,
    objectsDeleted: 0,
    embedded: 0,
    embeddingsReused: 0,
  };

  const idsOf = (file: FilePath, blob: string, chunks: number): string[] =>
    objectIds({ digest, repository: repository.id, path: file.pathBytes ?? file.path, blob }, chunks);

  async function storeBatch(changes: readonly Change[]): Promise<void> {
    const written = changes.filter(isIndexable);
    const analysis = await analyzer.analyze(
      written.map(({ path, content, language }) => ({ path, content, language })),
      { signal, repository: repository.id },
    );
    counts.put(
      written.map((file, at) => ({
        ...countKey({ ...file, oid: file.blob.oid }),
        chunks: analysis.files[at]?.chunks.length ?? 0,
      })),
    );
    const objects: IndexObject[] = [];
    for (const [at, file] of written.entries()) {
      const analyzed = analysis.files[at];
      if (analyzed === undefined || analyzed.chunks.length === 0) continue;
      state.files++;
      objects.push(
        ...objectsOf(repository.id, ref, file, analyzed, idsOf(file, file.blob.oid, analyzed.chunks.length)),
      );
    }
    // a change of only the mode does not change the objects
    const old = new Set(full ? [] : await oldIds(changes));
    const fresh = new Set(objects.map(({ id }) => id));
    const added = objects.filter(({ id }) => !old.has(id));
    const gone = [...old].filter((id) => !fresh.has(id));
    signal.throwIfAborted();
    const held = await heldToo(store, added, of);
    await makeSure(attempt);
    await store.write(held, signal);
    signal.throwIfAborted();
    const released = await release(store, gone, of, { fence, signal });

    for (const id of fresh) desired?.add(id);
    for (const { id } of added) state.xor = xorIds(state.xor, id);
    for (const id of gone) state.xor = xorIds(state.xor, id);
    state.objects += added.length - gone.length;
    state.objectsWritten += added.length + released.rewritten;
    state.objectsDeleted += released.deleted;
    state.embedded += analysis.embedded;
    state.embeddingsReused += analysis.reused;
    state.seen += changes.length;
    options.onProgress({ ...progressOf(state) });
  }

  /** Ids of the objects in the index for the old side of these changes, derived from git and the chunker. */
  async function oldIds(changes: readonly Change[]): Promise<string[]> {
    // a producer without old contents may also not know the old files: ask the index
    if (source.readOld === null) return store.idsOfPaths(repository.id, changes.flatMap(pathsOf), filterOf(of));
    const ids: string[] = [];
    const old = changes.flatMap((change) => (change.old && change.old.skip === undefined ? [change.old] : []));
    const known = new Map(old.map((file) => [file, counts.get(countKey(file))]));
    const counted = await countAgain(old.filter((file) => known.get(file) === undefined));
    for (const file of old) {
      const chunks = known.get(file) ?? counted.get(file) ?? 0;
      if (chunks > 0) state.files--;
      ids.push(...idsOf(file, file.oid, chunks));
    }
    return ids;
  }

  /** Chunks old files whose number of chunks is not cached on this machine. */
  async function countAgain(files: readonly OldFile[]): Promise<ReadonlyMap<OldFile, number>> {
    if (files.length === 0 || source.readOld === null) return new Map();
    const contents: (Uint8Array | null)[] = [];
    for await (const { content } of source.readOld(files)) contents.push(content);
    const readable: { file: OldFile; content: Uint8Array }[] = [];
    const empty: OldFile[] = [];
    for (const [at, file] of files.entries()) {
      const content = contents[at] ?? null;
      const declared = file.handwritten ? { generated: false } : {};
      if (content === null || skipByContent(file.path, content, declared) !== null) empty.push(file);
      else readable.push({ file, content });
    }
    const chunks = await analyzer.countChunks(
      readable.map(({ file: { path, language }, content }) => ({ path, content, language })),
      { signal, repository: repository.id },
    );
    const counted = new Map<OldFile, number>([
      ...empty.map((file) => [file, 0] as const),
      ...readable.map(({ file }, at) => [file, chunks[at] ?? 0] as const),
    ]);
    counts.put([...counted].map(([file, number]) => ({ ...countKey(file), chunks: number })));
    // not from the cache, which may be locked
    return counted;
  }

  const attempt = { store, repository: repository.id, ref, run: randomUUID() };
  const fence = (): Promise<void> => makeSure(attempt);
  await begin(attempt, previous ?? blankReceipt(repository, digest, ref), source.to);
  let filesChanged = 0;
  await inBatches(source.changes(), storeBatch, {
    signal,
    onChange: (change) => {
      filesChanged++;
      if (change.op !== 'delete' && change.skip !== undefined) skipped[change.skip] = (skipped[change.skip] ?? 0) + 1;
    },
  });
  await makeSure(attempt);
  // the cause of an interruption may have damaged Weaviate's indexes too: then counting is not enough
  const wasInterrupted = previous !== null && previous.pending !== null;
  if (desired) {
    const swept = await sweep(store, repository.id, desired, { of, thorough: wasInterrupted, fence, signal });
    state.objectsWritten += swept.rewritten;
    state.objectsDeleted += swept.deleted;
  }
  if (source.readOld === null) Object.assign(state, await recount(store, repository.id, of));

  const listed = wasInterrupted ? await recount(store, repository.id, of) : null;
  const stored = listed?.objects ?? (await store.count(repository.id, filterOf(of)));
  if (stored !== state.objects || (listed && listed.xor !== state.xor)) {
    throw new LonghaulError(
      'IndexIncomplete',
      `Weaviate holds ${stored} objects of ${repository.id} at ${ref}, but git has ${state.objects}.`,
    );
  }
  const receipt: Receipt = {
    repository: repository.id,
    ref,
    cloneUrl: repository.cloneUrl,
    ...uidOf(repository, previous),
    ...source.to,
    digest,
    files: state.files,
    objects: state.objects,
    xor: state.xor,
    indexedAt: new Date().toISOString(),
    pending: null,
    ...(previous?.branches === undefined ? {} : { branches: previous.branches }),
  };
  signal.throwIfAborted();
  await makeSure(attempt);
  await store.writeReceipt(receipt);
  const { embedded, embeddingsReused } = state;
  return { ...progressOf(state), receipt, filesChanged, embedded, embeddingsReused, skipped };
}

/** A file that is indexed. */
export type IndexableFile = FileWritten & { readonly content: Uint8Array };

/** A file that gets objects. A file with only a changed mode keeps its objects. */
export function isIndexable(change: Change): change is IndexableFile {
  return change.op !== 'delete' && change.skip === undefined && change.content !== null;
}

/** The objects of a file at a ref; `ids` has one for each of its chunks. */
export function objectsOf(
  repository: string,
  ref: string,
  file: IndexableFile,
  analyzed: AnalyzedFile,
  ids: readonly string[],
): IndexObject[] {
  return analyzed.chunks.flatMap((chunk, ordinal) => {
    const id = ids[ordinal];
    if (id === undefined) return [];
    return {
      id,
      properties: {
        repo: repository,
        path: file.path,
        language: analyzed.language ?? '',
        blob: file.blob.oid,
        ordinal,
        refs: [ref],
        text: chunk.text,
        stems: chunk.stems,
        pathStems: analyzed.pathStems,
        scopeStems: chunk.scopeStems,
        symbols: chunk.symbols,
        declares: chunk.declares,
        startLine: chunk.startLine,
        endLine: chunk.endLine,
      },
      vector: chunk.vector,
    };
  });
}

/** Processes changes in batches, each when a slot is free; reads on only after that. */
export async function inBatches(
  changes: AsyncIterable<Change>,
  work: (batch: readonly Change[]) => Promise<void>,
  { signal, onChange }: { readonly signal: AbortSignal; readonly onChange: (change: Change) => void },
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let batch: Change[] = [];
  let bytes = 0;
  // tasks never reject: a failure is stored, because the task may not be awaited when it fails
  const start = async (): Promise<void> => {
    const full = batch;
    batch = [];
    bytes = 0;
    processCounts.batchesWaiting++;
    const end = await permits.acquire(signal).finally(() => processCounts.batchesWaiting--);
    const task: Promise<void> = work(full)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        running.delete(task);
        end();
      });
    running.add(task);
  };
  const throwFailure = (): void => {
    if (failures.length > 0) throw failures[0];
  };
  try {
    for await (const change of changes) {
      signal.throwIfAborted();
      throwFailure();
      onChange(change);
      batch.push(change);
      bytes += change.op === 'delete' ? 0 : (change.content?.byteLength ?? 0);
      if (bytes >= BATCH_BYTES || batch.length >= BATCH_FILES) await start();
    }
    if (batch.length > 0) await start();
  } finally {
    await Promise.all(running);
  }
  throwFailure();
}

/**
 * Removes every object from the ref that is not in `desired`, and deletes those in `desired` that Weaviate cannot find:
 * the next run writes them again. Returns the number of the former.
 */
async function sweep(
  store: IndexStore,
  repository: string,
  desired: ReadonlySet<string>,
  { of, thorough, fence, signal }: SweepOptions,
): Promise<Released> {
  const swept = { deleted: 0, rewritten: 0 };
  if (!thorough && (await store.count(repository, filterOf(of))) === desired.size) return swept;
  const unseen = new Set(desired);
  for await (const page of store.inventory(repository, filterOf(of))) {
    signal.throwIfAborted();
    const foreign = page.flatMap(({ id }) => (unseen.delete(id) ? [] : [id]));
    const { deleted, rewritten } = await release(store, foreign, of, { fence, signal });
    swept.deleted += deleted;
    swept.rewritten += rewritten;
  }
  if (unseen.size > 0) await doubtOthers(store, repository, of);
  await store.purge([...unseen]);
  return swept;
}

interface SweepOptions {
  readonly of: IndexedRef;
  readonly thorough: boolean;
  readonly fence: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Counts the objects of a ref, for streams whose producer does not know the old files, and after an interruption. */
async function recount(
  store: IndexStore,
  repository: string,
  of: IndexedRef,
): Promise<{ files: number; objects: number; xor: string }> {
  const paths = new Set<string>();
  let objects = 0;
  let xor = NO_OBJECTS;
  for await (const page of store.inventory(repository, filterOf(of))) {
    for (const { id, path } of page) {
      paths.add(path);
      objects++;
      xor = xorIds(xor, id);
    }
  }
  return { files: paths.size, objects, xor };
}

/** The repository's uid, if known. */
function uidOf({ uid }: RepositoryAddress, previous: Receipt | null): Pick<Receipt, 'uid'> {
  const known = uid ?? previous?.uid;
  return known === undefined ? {} : { uid: known };
}

function progressOf(state: { seen: number; objectsWritten: number; objectsDeleted: number }): IngestProgress {
  return { files: state.seen, objectsWritten: state.objectsWritten, objectsDeleted: state.objectsDeleted };
}

/**
 * What the number of chunks of a file depends on in addition to the analyzer: its content, name and declared
 * attributes.
 */
function countKey({ oid, path, handwritten, language }: Pick<OldFile, 'oid' | 'path' | 'handwritten' | 'language'>): {
  blob: string;
  name: string;
} {
  const declared = `${handwritten ? '/handwritten' : ''}${language === undefined ? '' : `/${language}`}`;
  return { blob: oid, name: `${posix.basename(path)}${declared}` };
}

function pathsOf(change: Change): string[] {
  return change.old === undefined || change.old.path === change.path ? [change.path] : [change.path, change.old.path];
}
