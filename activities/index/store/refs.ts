import { inRefOrder } from '../../../domain/git/branch.ts';
import { refsOfRepository } from '../../../domain/catalog/index/refs.ts';
import type { Receipt } from '../../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';
import type { ChunkProperties } from './schema.ts';
import type { IndexStore, StoredObject } from './store.ts';
import type { IndexObject } from './write-batch.ts';

/** One ref of a repository, with all its indexed refs. An object exists once, whichever refs hold it. */
export interface IndexedRef {
  readonly ref: string;
  /** All indexed refs of the repository, including this one. */
  readonly refs: readonly string[];
}

/** Whole objects that are read and written together. */
const RELEASED_AT_ONCE = 1_000;

/** A repository with only HEAD indexed. */
export const HEAD_ALONE: IndexedRef = { ref: DEFAULT_REF, refs: [DEFAULT_REF] };

/** HEAD's ref in a repository with this receipt. */
export function headOf(receipt: Receipt | null): IndexedRef {
  return { ref: DEFAULT_REF, refs: refsOfRepository(receipt) };
}

/** The filter for listing the objects of a ref; undefined for a repository without other refs. */
export function filterOf({ ref, refs }: IndexedRef): string | undefined {
  return refs.length === 1 ? undefined : ref;
}

/** The new refs of an object when this ref starts or stops holding it; other indexed refs stay. */
export function refsWith(held: readonly string[], { ref, refs }: IndexedRef, isHeld: boolean): string[] {
  const others = held.filter((one) => one !== ref && refs.includes(one));
  return inRefOrder(isHeld ? [...others, ref] : others);
}

/**
 * A ref's objects as they must be written: with all refs that hold them. Sends no request when there is no other ref.
 */
export async function heldToo(
  store: IndexStore,
  objects: readonly IndexObject[],
  of: IndexedRef,
): Promise<readonly IndexObject[]> {
  if (filterOf(of) === undefined || objects.length === 0) return objects;
  const held = await store.refsOf(objects.map(({ id }) => id));
  return objects.map((object) => withRefs(object, refsWith(held.get(object.id) ?? [], of, true)));
}

/** The result of removing objects from a ref. */
export interface Released {
  readonly deleted: number;
  /** Number of objects written again because other refs still hold them. */
  readonly rewritten: number;
}

/**
 * Removes objects from a ref: those that another ref holds are written again without it, the rest is deleted. Awaits
 * `fence` before each request that changes anything.
 */
export async function release(
  store: IndexStore,
  ids: readonly string[],
  of: IndexedRef,
  { fence, signal }: { readonly fence: () => Promise<void>; readonly signal: AbortSignal },
): Promise<Released> {
  const released = { deleted: 0, rewritten: 0 };
  for (let at = 0; at < ids.length; at += RELEASED_AT_ONCE) {
    const page = ids.slice(at, at + RELEASED_AT_ONCE);
    const rewritten = await heldElsewhere(store, page, of);
    if (rewritten.length > 0) {
      await fence();
      await store.write(rewritten, signal);
      signal.throwIfAborted();
    }
    const stay = new Set(rewritten.map(({ id }) => id));
    const gone = page.filter((id) => !stay.has(id));
    if (gone.length > 0) {
      await fence();
      await store.delete(gone);
    }
    released.deleted += gone.length;
    released.rewritten += rewritten.length;
  }
  return released;
}

/** Those of these objects that another ref holds, as they must be written. */
async function heldElsewhere(store: IndexStore, ids: readonly string[], of: IndexedRef): Promise<IndexObject[]> {
  const rewritten: IndexObject[] = [];
  if (filterOf(of) === undefined) return rewritten;
  for await (const page of store.read(ids)) {
    for (const object of page) {
      const refs = refsWith(object.properties.refs ?? [], of, false);
      if (refs.length > 0) rewritten.push(withRefs(asWritten(object), refs));
    }
  }
  return rewritten;
}

/**
 * Marks the other refs of a repository as possibly incomplete: the next run of each reads everything once more and
 * compares. Used when `ref` had to remove objects that Weaviate itself could no longer find, whichever refs held them.
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

/** An object from Weaviate, ready to be written again. Weaviate returns empty lists as missing properties. */
function asWritten({ id, properties, vector }: StoredObject): IndexObject {
  const { bucket: _bucket, ...rest } = properties as ChunkProperties;
  return {
    id,
    properties: { ...rest, symbols: rest.symbols ?? [], declares: rest.declares ?? [] },
    vector: Float32Array.from(vector),
  };
}
