import { inRefOrder } from '../../../domain/git/branch.ts';
import { refsOfRepository } from '../../../domain/catalog/index/refs.ts';
import type { Receipt } from '../../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';
import type { ChunkProperties } from './schema.ts';
import type { IndexObject, IndexStore, StoredObject } from './store.ts';

/** One ref of a repository, among all that the index has of it. An object is there once, whatever refs hold it. */
export interface IndexedRef {
  readonly ref: string;
  /** All refs of the repository in the index, this one too. */
  readonly refs: readonly string[];
}

/** Whole objects that are read and written again together. */
const RELEASED_AT_ONCE = 1_000;

/** A repository of which HEAD alone is indexed. */
export const HEAD_ALONE: IndexedRef = { ref: DEFAULT_REF, refs: [DEFAULT_REF] };

/** The ref of HEAD in a repository with this receipt. */
export function headOf(receipt: Receipt | null): IndexedRef {
  return { ref: DEFAULT_REF, refs: refsOfRepository(receipt) };
}

/** What listings of the objects of a ref are filtered by; undefined for a repository that has no other ref. */
export function filterOf({ ref, refs }: IndexedRef): string | undefined {
  return refs.length === 1 ? undefined : ref;
}

/** The refs of an object from now on, when this ref holds it, or does not any more; what else held it and is indexed stays. */
export function refsWith(held: readonly string[], { ref, refs }: IndexedRef, isHeld: boolean): string[] {
  const others = held.filter((one) => one !== ref && refs.includes(one));
  return inRefOrder(isHeld ? [...others, ref] : others);
}

/** Objects that a ref holds as they are to be written: with all refs that hold them. Asks nothing when there is no other ref. */
export async function heldToo(
  store: IndexStore,
  objects: readonly IndexObject[],
  of: IndexedRef,
): Promise<readonly IndexObject[]> {
  if (filterOf(of) === undefined || objects.length === 0) return objects;
  const held = await store.refsOf(objects.map(({ id }) => id));
  return objects.map((object) => withRefs(object, refsWith(held.get(object.id) ?? [], of, true)));
}

/** What became of objects that a ref does not hold any more. */
export interface Released {
  readonly deleted: number;
  /** Still held by other refs. */
  readonly kept: number;
}

/**
 * Takes objects from a ref: those that another ref holds are written again without it, the rest is deleted. `fence` is waited for
 * before each request that changes anything.
 */
export async function release(
  store: IndexStore,
  ids: readonly string[],
  of: IndexedRef,
  { fence, signal }: { readonly fence: () => Promise<void>; readonly signal: AbortSignal },
): Promise<Released> {
  const released = { deleted: 0, kept: 0 };
  for (let at = 0; at < ids.length; at += RELEASED_AT_ONCE) {
    const page = ids.slice(at, at + RELEASED_AT_ONCE);
    const kept = await heldElsewhere(store, page, of);
    if (kept.length > 0) {
      await fence();
      await store.write(kept, signal);
      signal.throwIfAborted();
    }
    const stay = new Set(kept.map(({ id }) => id));
    const gone = page.filter((id) => !stay.has(id));
    if (gone.length > 0) {
      await fence();
      await store.delete(gone);
    }
    released.deleted += gone.length;
    released.kept += kept.length;
  }
  return released;
}

/** Those of these objects that another ref holds, as they are to be written. */
async function heldElsewhere(store: IndexStore, ids: readonly string[], of: IndexedRef): Promise<IndexObject[]> {
  const kept: IndexObject[] = [];
  if (filterOf(of) === undefined) return kept;
  for await (const page of store.read(ids)) {
    for (const object of page) {
      const refs = refsWith(object.properties.refs ?? [], of, false);
      if (refs.length > 0) kept.push(withRefs(asWritten(object), refs));
    }
  }
  return kept;
}

/**
 * Says of the other refs of a repository that their objects may not be all there: the next run over each reads everything once
 * more and compares. `ref` had to remove objects that Weaviate itself had lost its way to, whoever held them.
 */
export async function doubtOthers(store: IndexStore, repository: string, { ref, refs }: IndexedRef): Promise<void> {
  for (const other of refs.filter((one) => one !== ref)) {
    const receipt = await store.readReceipt(repository, other);
    if (receipt === null || receipt.commit === '' || receipt.pending !== null) continue;
    const { commit, tree, branch, timestamp } = receipt;
    await store.writeReceipt({ ...receipt, pending: { commit, tree, branch, timestamp } });
  }
}

function withRefs(object: IndexObject, refs: string[]): IndexObject {
  return { ...object, properties: { ...object.properties, refs } };
}

/** An object as Weaviate has it, to be written again. Lists that are empty come back as no property. */
function asWritten({ id, properties, vector }: StoredObject): IndexObject {
  const { bucket: _bucket, ...rest } = properties as ChunkProperties;
  return { id, properties: { ...rest, symbols: rest.symbols ?? [] }, vector: Float32Array.from(vector) };
}
