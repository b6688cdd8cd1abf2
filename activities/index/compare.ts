import { NO_OBJECTS, xorIds } from '../../domain/catalog/receipt.ts';
import { isRepositoryId, NO_REPOSITORY } from '../../domain/catalog/repository.ts';
import type { DifferenceLog } from '../../domain/catalog/verification.ts';
import type { Change } from '../../domain/catalog/change.ts';
import { LonghaulError } from '../../domain/failures.ts';
import { inBatches, type IngestTools, type IndexableFile, isIndexable, objectsOf } from './ingest.ts';
import { objectId, objectIds } from './object-id.ts';
import { bucketOf, type HeldObject, type IndexObject, type IndexStore, type StoredObject } from './store.ts';

/** How a comparison works. */
export interface CompareOptions {
  /** Make Weaviate hold what git asks for: exactly what differs is written and deleted. */
  readonly repair: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly files: number }) => void;
}

/**
 * Waited for before every request that writes or deletes. Throws `RepositoryBusy` when another attempt took this one's place:
 * see `makeSure`.
 */
export type Fence = () => Promise<void>;

/** What git asks the index to hold of one snapshot, and what it took to compare and mend. */
export interface Comparison {
  readonly files: number;
  readonly objects: number;
  readonly xor: string;
  readonly objectsWritten: number;
  readonly objectsDeleted: number;
  readonly embedded: number;
  readonly embeddingsReused: number;
}

/**
 * Compares what Weaviate holds of a repository with what chunker and model make of `files`, which is every file of one
 * snapshot: object for object, property for property, and the vectors. A few batches of files and pages of objects are in
 * memory, and the ids of all. Throws `IndexIncomplete` when Weaviate does not hold what was mended: what it does not find is
 * gone then, and the next try writes it anew. Throws what `fence` throws.
 */
export async function compareObjects(
  { store, analyzer }: Pick<IngestTools, 'store' | 'analyzer'>,
  repository: string,
  files: AsyncIterable<Change>,
  log: DifferenceLog,
  { repair, signal, onProgress, fence }: CompareOptions & { readonly fence: Fence },
): Promise<Comparison> {
  const { digest } = analyzer;
  const wanted = new Set<string>();
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
      indexable.map(({ path, content }) => ({ path, content })),
      { signal },
    );
    const objects = indexable.flatMap((file: IndexableFile, at) => {
      const analyzed = analysis.files[at];
      if (analyzed === undefined || analyzed.chunks.length === 0) return [];
      state.files++;
      const key = { digest, repository, path: file.pathBytes ?? file.path, blob: file.blob.oid };
      return objectsOf(repository, file, analyzed, objectIds(key, analyzed.chunks.length));
    });
    const wrong = await differing(store, objects, log);
    signal.throwIfAborted();
    if (repair && wrong.length > 0) {
      await fence();
      await store.write(wrong, signal);
      state.objectsWritten += wrong.length;
    }
    for (const { id } of objects) {
      wanted.add(id);
      state.xor = xorIds(state.xor, id);
    }
    state.objects += objects.length;
    state.embedded += analysis.embedded;
    state.embeddingsReused += analysis.reused;
    onProgress({ files: (seen += changes.length) });
  }

  await inBatches(files, compareBatch, { signal, onChange: () => undefined });
  const unseen = new Set(wanted);
  for await (const page of heldOf(store, repository)) {
    signal.throwIfAborted();
    const extra = page.filter((id) => !unseen.delete(id) && !wanted.has(id));
    for await (const objects of store.read(extra)) {
      for (const object of objects) log.add(...describeExtra(object, repository, digest));
    }
    if (repair) state.objectsDeleted += await deleteHeld(store, extra, repository, fence);
  }
  if (repair && state.objectsWritten + state.objectsDeleted + unseen.size > 0) {
    const held = await store.count(repository);
    if (held !== state.objects) {
      await fence();
      await store.purge([...unseen]);
      throw new LonghaulError(
        'IndexIncomplete',
        `Weaviate holds ${held} objects of ${repository} after it was mended, where git asks for ${state.objects}.`,
      );
    }
  }
  return state;
}

/** Number and XOR of the ids that Weaviate holds of a repository; those that do not follow from their properties are foreign. */
export async function countHeld(
  store: IndexStore,
  repository: string,
  log: DifferenceLog,
  { digest, repair, fence }: { readonly digest: string; readonly repair: boolean; readonly fence: Fence },
): Promise<Pick<Comparison, 'objects' | 'xor' | 'objectsDeleted'>> {
  const state = { objects: 0, xor: NO_OBJECTS, objectsDeleted: 0 };
  for await (const page of heldOf(store, repository)) {
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
 * Deletes objects of {@link heldOf}. One that names another repository by now was mended there meanwhile: it stays. Gives the
 * number of those that were to go.
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

/** Every id that Weaviate holds of a repository, in pages; those of {@link NO_REPOSITORY} name none that could be. */
export async function* heldOf(store: IndexStore, repository: string): AsyncIterable<readonly string[]> {
  if (repository === NO_REPOSITORY) {
    // a filter cannot find what has no name
    yield* everythingOf(store, (object) => !isRepositoryId(object.repository));
    return;
  }
  // counted first: whoever reads may delete what is read
  const count = await store.count(repository);
  const seen = new Set<string>();
  for await (const page of store.inventory(repository)) {
    const ids = page.map(({ id }) => id);
    for (const id of ids) seen.add(id);
    yield ids;
  }
  if (seen.size >= count) return;
  // one whose bucket is wrong is in no page of the inventory
  yield* everythingOf(store, (object) => object.repository === repository && !seen.has(object.id));
}

async function* everythingOf(
  store: IndexStore,
  isWanted: (object: HeldObject) => boolean,
): AsyncIterable<readonly string[]> {
  for await (const page of store.everything()) yield page.filter(isWanted).map(({ id }) => id);
}

/** Those objects that Weaviate does not have, or has otherwise. */
async function differing(
  store: IndexStore,
  objects: readonly IndexObject[],
  log: DifferenceLog,
): Promise<IndexObject[]> {
  const held = new Map<string, string | null>();
  const wanted = new Map(objects.map((object) => [object.id, object]));
  for await (const page of store.read([...wanted.keys()])) {
    for (const found of page) {
      const object = wanted.get(found.id);
      if (object) held.set(found.id, alteration(found, object));
    }
  }
  return objects.filter((object) => {
    const altered = held.get(object.id);
    if (altered === null) return false;
    const where = describeObject(object);
    if (altered === undefined) log.add('missing', where);
    else log.add('altered', `${where}: ${altered}`);
    return true;
  });
}

/** Vectors travel as 32-bit floats; a machine may sum in another order than the next. */
const SAME_VECTOR = 1e-4;

/** The first thing about an object that is not as it should be; null when it is the same. */
function alteration(found: StoredObject, { id, properties, vector }: IndexObject): string | null {
  const wanted: Record<string, unknown> = { ...properties, bucket: bucketOf(id) };
  const held: Readonly<Record<string, unknown>> = found.properties;
  for (const [name, value] of Object.entries(wanted)) {
    if (!isSameValue(held[name], value)) return name;
  }
  const same =
    found.vector.length === vector.length &&
    vector.every((component, at) => Math.abs(component - (found.vector[at] ?? Number.NaN)) < SAME_VECTOR);
  return same ? null : 'vector';
}

function isSameValue(held: unknown, wanted: unknown): boolean {
  if (!Array.isArray(wanted)) return held === wanted;
  // Weaviate gives back no property for an empty list
  const list: readonly unknown[] = Array.isArray(held) ? held : [];
  return (
    (held === undefined || Array.isArray(held)) &&
    list.length === wanted.length &&
    wanted.every((value, at) => value === list[at])
  );
}

/** What an object is that git does not ask for. */
function describeExtra(object: StoredObject, repository: string, digest: string): ['stale' | 'foreign', string] {
  return [followsFromProperties(object, repository, digest) ? 'stale' : 'foreign', describeObject(object)];
}

function describeObject({ id, properties: { path, ordinal } }: Pick<StoredObject, 'id' | 'properties'>): string {
  return path === undefined ? id : `${path} #${ordinal ?? '?'}`;
}

/** True when an object has the id that its own properties make. */
function followsFromProperties({ id, properties }: StoredObject, repository: string, digest: string): boolean {
  const { path, blob, ordinal } = properties;
  if (path === undefined || blob === undefined || ordinal === undefined) return false;
  return [path, pathBytesOf(path)].some(
    (exact) => exact !== null && objectId({ digest, repository, path: exact, blob }, ordinal) === id,
  );
}

/** The bytes, in base64, of a path that is shown with `\xHH` for what is no text; null when it is all text. */
function pathBytesOf(path: string): string | null {
  if (!/\\x[0-9A-F]{2}/.test(path)) return null;
  const parts = path.split(/\\x([0-9A-F]{2})/);
  return Buffer.concat(parts.map((part, at) => Buffer.from(part, at % 2 === 0 ? 'utf8' : 'hex'))).toString('base64');
}
