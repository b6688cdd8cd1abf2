import { NO_OBJECTS, xorIds } from '../../domain/catalog/index/receipt.ts';
import { isRepositoryId, NO_REPOSITORY } from '../../domain/git/repository.ts';
import type { DifferenceLog } from '../../domain/catalog/index/verification.ts';
import type { Change } from '../../domain/git/change.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { filterOf, type IndexedRef, refsWith, release } from './store/refs.ts';
import { inBatches, type IngestTools, type IndexableFile, isIndexable, objectsOf } from './ingest.ts';
import { objectId, objectIds } from './store/object-id.ts';
import type { HeldObject, IndexStore, StoredObject } from './store/store.ts';
import { bucketOf, type IndexObject } from './store/write-batch.ts';

/** Options of a comparison. */
export interface CompareOptions {
  /** Make Weaviate match git by writing and deleting exactly what differs. */
  readonly repair: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly files: number }) => void;
}

/**
 * Awaited before every request that writes or deletes. Throws `RepositoryBusy` when another attempt replaced this one:
 * see `makeSure`.
 */
export type Fence = () => Promise<void>;

/** The comparison of one ref of a repository that may have several. */
export interface RefComparison extends CompareOptions {
  readonly of: IndexedRef;
  readonly fence: Fence;
  /** Ids of objects that were already reported: an object of two refs counts once. */
  readonly reported: Set<string>;
}

/** The expected objects of one snapshot, according to git, and the cost of comparing and repairing. */
export interface ComparisonResult {
  readonly files: number;
  readonly objects: number;
  readonly xor: string;
  /** The ids of the objects. */
  readonly ids: ReadonlySet<string>;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
}

/**
 * Compares what Weaviate holds of a ref of a repository with what chunker and model make of `files`, which is every
 * file of one snapshot: every object, property and vector. Of an object's refs only this one is checked, and any that
 * is not a ref of the repository. Objects without a ref of the repository are found by {@link compareLeft}, or here
 * when it has one ref. Memory holds a few batches of files, pages of objects, and all ids. Throws `IndexIncomplete`
 * when Weaviate does not hold what was repaired: the objects that it cannot find are deleted then, and the next try
 * writes them again. Throws what `fence` throws.
 */
export async function compareObjects(
  { store, analyzer }: Pick<IngestTools, 'store' | 'analyzer'>,
  repository: string,
  files: AsyncIterable<Change>,
  log: DifferenceLog,
  { of, repair, signal, onProgress, fence, reported }: RefComparison,
): Promise<ComparisonResult> {
  const { digest } = analyzer;
  const expected = new Set<string>();
  const state = {
    files: 0,
    objects: 0,
    xor: NO_OBJECTS,
    objectsWritten: 0,
    objectsDeleted: 0,
    embedded: 0,
    embeddingsReused: 0,
  };
  let seen = 0;

  async function compareBatch(changes: readonly Change[]): Promise<void> {
    const indexable = changes.filter(isIndexable);
    const analysis = await analyzer.analyze(
      indexable.map(({ path, content, language }) => ({ path, content, language })),
      { signal, repository },
    );
    const objects = indexable.flatMap((file: IndexableFile, at) => {
      const analyzed = analysis.files[at];
      if (analyzed === undefined || analyzed.chunks.length === 0) return [];
      state.files++;
      const key = { digest, repository, path: file.pathBytes ?? file.path, blob: file.blob.oid };
      return objectsOf(repository, of.ref, file, analyzed, objectIds(key, analyzed.chunks.length));
    });
    const wrong = await differing(store, objects, log, { of, reported });
    signal.throwIfAborted();
    if (repair && wrong.length > 0) {
      await fence();
      await store.write(wrong, signal);
      state.objectsWritten += wrong.length;
    }
    for (const { id } of objects) {
      expected.add(id);
      state.xor = xorIds(state.xor, id);
    }
    state.objects += objects.length;
    state.embedded += analysis.embedded;
    state.embeddingsReused += analysis.reused;
    onProgress({ files: (seen += changes.length) });
  }

  await inBatches(files, compareBatch, { signal, onChange: () => undefined });
  const unseen = new Set(expected);
  for await (const page of idsOfRef(store, repository, of)) {
    signal.throwIfAborted();
    const extra = page.filter((id) => !unseen.delete(id) && !expected.has(id));
    await reportExtra(store, repository, extra, log, { digest, reported });
    if (!repair) continue;
    if (filterOf(of) === undefined) {
      state.objectsDeleted += await deleteHeld(store, extra, repository, fence);
    } else {
      const { deleted, rewritten } = await release(store, extra, of, { fence, signal });
      state.objectsDeleted += deleted;
      state.objectsWritten += rewritten;
    }
  }
  if (repair && state.objectsWritten + state.objectsDeleted + unseen.size > 0) {
    const held = await store.count(repository, filterOf(of));
    if (held !== state.objects) {
      await fence();
      await store.purge([...unseen]);
      throw new LonghaulError(
        'IndexIncomplete',
        `Weaviate holds ${held} objects of ${repository} after the repair, but git has ${state.objects}.`,
      );
    }
  }
  return { ...state, ids: expected };
}

/**
 * Finds the objects of a repository with several refs that none of them holds, regardless of their property `refs`;
 * deletes them with `repair`. Returns the number of deleted objects.
 */
export async function compareLeft(
  { store, analyzer: { digest } }: Pick<IngestTools, 'store' | 'analyzer'>,
  repository: string,
  ids: ReadonlySet<string>,
  log: DifferenceLog,
  { repair, signal, fence, reported }: Omit<RefComparison, 'of'>,
): Promise<number> {
  let deleted = 0;
  for await (const page of heldOf(store, repository)) {
    signal.throwIfAborted();
    const extra = page.filter((id) => !ids.has(id));
    await reportExtra(store, repository, extra, log, { digest, reported });
    if (repair) deleted += await deleteHeld(store, extra, repository, fence);
  }
  return deleted;
}

async function reportExtra(
  store: IndexStore,
  repository: string,
  extra: readonly string[],
  log: DifferenceLog,
  { digest, reported }: { readonly digest: string; readonly reported: Set<string> },
): Promise<void> {
  for await (const objects of store.read(extra.filter((id) => !reported.has(id)))) {
    for (const object of objects) {
      reported.add(object.id);
      log.add(...describeExtra(object, repository, digest));
    }
  }
}

/** Number and XOR of the ids that Weaviate holds of a ref; ids that do not match their properties are foreign. */
export async function countHeld(
  store: IndexStore,
  repository: string,
  log: DifferenceLog,
  { digest, of, repair, fence }: { readonly digest: string } & Pick<RefComparison, 'of' | 'repair' | 'fence'>,
): Promise<Pick<ComparisonResult, 'objects' | 'xor' | 'objectsDeleted'>> {
  const state = { objects: 0, xor: NO_OBJECTS, objectsDeleted: 0 };
  for await (const page of idsOfRef(store, repository, of)) {
    for await (const objects of store.read(page)) {
      const foreign = objects.filter((object) => !followsFromProperties(object, repository, digest));
      for (const object of foreign) log.add('foreign', describeObject(object));
      for (const { id } of objects) {
        if (foreign.some((other) => other.id === id)) continue;
        state.objects++;
        state.xor = xorIds(state.xor, id);
      }
      if (!repair) continue;
      const ids = foreign.map(({ id }) => id);
      state.objectsDeleted += await deleteHeld(store, ids, repository, fence);
    }
  }
  return state;
}

/**
 * Deletes objects from {@link heldOf}. An object that has meanwhile been repaired to name another repository stays.
 * Returns the number of objects to delete.
 */
export async function deleteHeld(
  store: IndexStore,
  ids: readonly string[],
  repository: string,
  fence: Fence,
): Promise<number> {
  if (ids.length === 0) return 0;
  await fence();
  if (repository !== NO_REPOSITORY) {
    await store.delete(ids, repository);
    return ids.length;
  }
  for await (const page of store.read(ids)) {
    const nameless = page.filter(({ properties }) => !isRepositoryId(properties.repo ?? ''));
    await store.delete(nameless.map(({ id }) => id));
  }
  return ids.length;
}

/** Every id that Weaviate holds of a repository, in pages; those of {@link NO_REPOSITORY} have no valid repository. */
export async function* heldOf(store: IndexStore, repository: string): AsyncIterable<readonly string[]> {
  if (repository === NO_REPOSITORY) {
    // a filter cannot find objects without a repository
    yield* everythingOf(store, (object) => !isRepositoryId(object.repository));
    return;
  }
  // counted first, because the caller may delete what it reads
  const count = await store.count(repository);
  const seen = new Set<string>();
  for await (const page of store.inventory(repository)) {
    const ids = page.map(({ id }) => id);
    for (const id of ids) seen.add(id);
    yield ids;
  }
  if (seen.size >= count) return;
  // an object with a wrong bucket is in no page of the inventory
  yield* everythingOf(store, (object) => object.repository === repository && !seen.has(object.id));
}

/** The ids that Weaviate holds of a ref; for a repository with one ref, all its ids. */
async function* idsOfRef(store: IndexStore, repository: string, of: IndexedRef): AsyncIterable<readonly string[]> {
  const ref = filterOf(of);
  if (ref === undefined) {
    yield* heldOf(store, repository);
    return;
  }
  for await (const page of store.inventory(repository, ref)) yield page.map(({ id }) => id);
}

async function* everythingOf(
  store: IndexStore,
  isWanted: (object: HeldObject) => boolean,
): AsyncIterable<readonly string[]> {
  for await (const page of store.everything()) yield page.filter(isWanted).map(({ id }) => id);
}

/** The expected version of those objects that are missing or differ in Weaviate. */
async function differing(
  store: IndexStore,
  objects: readonly IndexObject[],
  log: DifferenceLog,
  { of, reported }: Pick<RefComparison, 'of' | 'reported'>,
): Promise<IndexObject[]> {
  const held = new Map<string, string | null>();
  const current = new Map(objects.map((object) => [object.id, object]));
  for await (const page of store.read([...current.keys()])) {
    for (const found of page) {
      const object = current.get(found.id);
      if (object === undefined) continue;
      const refs = refsWith(found.properties.refs ?? [], of, true);
      const expected = { ...object, properties: { ...object.properties, refs } };
      current.set(found.id, expected);
      held.set(found.id, alteration(found, expected));
    }
  }
  return [...current.values()].filter((object) => {
    const altered = held.get(object.id);
    if (altered === null) return false;
    if (reported.has(object.id)) return true;
    reported.add(object.id);
    const where = describeObject(object);
    if (altered === undefined) log.add('missing', where);
    else log.add('altered', `${where}: ${altered}`);
    return true;
  });
}

/** Vectors are stored as 32-bit floats, and machines may sum in a different order. */
const SAME_VECTOR = 1e-4;

/** The first difference of an object from its expected version; null when there is none. */
function alteration(found: StoredObject, { id, properties, vector }: IndexObject): string | null {
  const expected: Record<string, unknown> = { ...properties, bucket: bucketOf(id) };
  const held: Readonly<Record<string, unknown>> = found.properties;
  for (const [name, value] of Object.entries(expected)) {
    if (!isSameValue(held[name], value)) return name;
  }
  const same =
    found.vector.length === vector.length &&
    vector.every((component, at) => Math.abs(component - (found.vector[at] ?? Number.NaN)) < SAME_VECTOR);
  return same ? null : 'vector';
}

function isSameValue(held: unknown, expected: unknown): boolean {
  if (!Array.isArray(expected)) return held === expected;
  // Weaviate returns an empty list as a missing property
  const list: readonly unknown[] = Array.isArray(held) ? held : [];
  return (
    (held === undefined || Array.isArray(held)) &&
    list.length === expected.length &&
    expected.every((value, at) => value === list[at])
  );
}

/** Describes an object that should not exist according to git. */
function describeExtra(object: StoredObject, repository: string, digest: string): ['stale' | 'foreign', string] {
  return [followsFromProperties(object, repository, digest) ? 'stale' : 'foreign', describeObject(object)];
}

function describeObject({ id, properties: { path, ordinal } }: Pick<StoredObject, 'id' | 'properties'>): string {
  return path === undefined ? id : `${path} #${ordinal ?? '?'}`;
}

/** True when an object's id matches its own properties. */
function followsFromProperties({ id, properties }: StoredObject, repository: string, digest: string): boolean {
  const { path, blob, ordinal } = properties;
  if (path === undefined || blob === undefined || ordinal === undefined) return false;
  return [path, pathBytesOf(path)].some(
    (exact) => exact !== null && objectId({ digest, repository, path: exact, blob }, ordinal) === id,
  );
}

/** The bytes, in base64, of a path shown with `\xHH` for bytes that are not UTF-8; null when it has none. */
function pathBytesOf(path: string): string | null {
  if (!/\\x[0-9A-F]{2}/.test(path)) return null;
  const parts = path.split(/\\x([0-9A-F]{2})/);
  return Buffer.concat(parts.map((part, at) => Buffer.from(part, at % 2 === 0 ? 'utf8' : 'hex'))).toString('base64');
}
