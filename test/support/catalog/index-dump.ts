import { createHash } from 'node:crypto';
import type { WeaviateClient } from 'weaviate-client';
import { NO_OBJECTS, type Receipt, xorIds } from '../../../domain/catalog/index/receipt.ts';
import type { IndexStore } from '../../../activities/index/store/store.ts';

/** The content of an index, in a form that is equal for two indexes of the same commits. */
export interface IndexDump {
  /** By id: the place of the object, and a digest of all its properties and its vector. */
  readonly objects: Readonly<Record<string, string>>;
  /** By id: the refs that hold it. */
  readonly refs: Readonly<Record<string, readonly string[]>>;
  /** Without the time and the address of the machine. */
  readonly receipts: readonly Receipt[];
}

const PAGE = 2_000;

/** Reads a whole index: objects with their properties and vectors, and receipts. */
export async function dumpIndex(client: WeaviateClient, store: IndexStore): Promise<IndexDump> {
  const chunks = client.collections.use(store.names.chunks);
  const objects: Record<string, string> = {};
  const refs: Record<string, string[]> = {};
  for (let after: string | undefined, full = true; full;) {
    const page = await chunks.query.fetchObjects({ limit: PAGE, includeVector: true, ...(after ? { after } : {}) });
    for (const { uuid, properties, vectors } of page.objects) {
      const sorted = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
      const digest = createHash('sha256').update(JSON.stringify([sorted, vectors]));
      const { repo, path, ordinal, ...rest } = properties as {
        repo: string;
        path: string;
        ordinal: number;
        refs: string[];
      };
      refs[uuid] = rest.refs;
      objects[uuid] = `${repo} ${path} ${ordinal} ${digest.digest('hex')}`;
    }
    after = page.objects.at(-1)?.uuid;
    full = page.objects.length === PAGE;
  }
  const receipts = await store.receipts();
  return { objects, refs, receipts: receipts.map((receipt) => ({ ...receipt, indexedAt: '', cloneUrl: '', uid: '' })) };
}

/** Inconsistencies of an index: wrong receipts, objects without a receipt, two objects for one chunk. */
export function faultsOf({ objects, refs, receipts }: IndexDump): string[] {
  const faults: string[] = [];
  const held = Object.keys(objects).flatMap((id) =>
    (refs[id]?.length ? refs[id] : ['(no ref)']).map((ref) => ({ id, ref })),
  );
  const ids = Map.groupBy(held, ({ id, ref }) => `${objects[id]?.split(' ')[0]} ${ref}`);
  for (const { repository, ref, objects: count, xor, pending } of receipts) {
    const name = `${repository} ${ref}`;
    const own = (ids.get(name) ?? []).map(({ id }) => id);
    ids.delete(name);
    if (pending !== null) faults.push(`the receipt of ${name} is on its way to ${pending.commit}`);
    if (own.length !== count) faults.push(`the receipt of ${name} says ${count} objects, there are ${own.length}`);
    if (own.reduce(xorIds, NO_OBJECTS) !== xor) faults.push(`the receipt of ${name} is of other objects`);
  }
  for (const name of ids.keys()) faults.push(`${name} has objects without a receipt`);
  const places = held.map(({ id, ref }) => `${ref} ${objects[id]?.slice(0, objects[id].lastIndexOf(' '))}`);
  if (new Set(places).size !== places.length) faults.push('a chunk exists twice');
  return faults;
}
