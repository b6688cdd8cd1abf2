import pLimit from 'p-limit';
import { type Collection, Filters, type FilterValue } from 'weaviate-client';
import type { Receipt } from '../../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { processCounts } from '../../telemetry/process-counts.ts';
import { type InventoryEntry, LIST_LIMIT, listObjects } from './list-objects.ts';
import { receiptId } from './object-id.ts';
import { propertiesOf, receiptOf } from './receipt-properties.ts';
import { retried } from './retried.ts';
import { type ChunkProperties, ensureSchema } from './schema.ts';
import { type CollectionNames, collectionNames } from './collection-names.ts';
import type { ReceiptProperties } from './schema.ts';
import { type IndexClient, readOnlyFailure } from './weaviate.ts';
import { type IndexObject, writeBatch } from './write-batch.ts';

/** An object as stored in Weaviate. Any program may have written it: properties may be missing. */
export interface StoredObject {
  readonly id: string;
  readonly properties: Readonly<Partial<ChunkProperties>>;
  readonly vector: readonly number[];
}

/** An object in a listing of the whole index; `repository` is empty when it has none. */
export interface HeldObject {
  readonly id: string;
  readonly repository: string;
  readonly refs: readonly string[];
}

/** The index in Weaviate: chunks of code, and their receipts. */
export interface IndexStore {
  readonly names: CollectionNames;
  /**
   * Creates and checks the collections; must run once before every other method. `description` is stored with the
   * chunks collection.
   */
  prepare(description?: string): Promise<void>;
  /**
   * Writes objects, replacing those with the same id. Refused objects are tried again; throws `IndexIncomplete` with
   * the reason when an object still cannot be stored, `ServerUnavailable` when Weaviate stops answering. An abort ends
   * it at once. When it throws, no request is in progress.
   */
  write(objects: readonly IndexObject[], signal?: AbortSignal): Promise<void>;
  /** Deletes objects by id, with `repository` only those that belong to it; missing ids are not an error. */
  delete(ids: readonly string[], repository?: string): Promise<void>;
  /**
   * Deletes objects one by one, including those that no filter finds: a Weaviate that was killed may have an object
   * without the index entries for it, and does not create them when the same object is written again.
   */
  purge(ids: readonly string[]): Promise<void>;
  /**
   * Deletes every object of a repository and its receipts: those of these `branches` (full names of refs), and that of
   * HEAD last. Returns the number of deleted objects. Awaits `fence` before each request that deletes.
   */
  deleteRepository(repository: string, branches?: readonly string[], fence?: () => Promise<void>): Promise<number>;
  /** The number of objects: of all, of a repository, or of one of its refs. */
  count(repository?: string, ref?: string): Promise<number>;
  /** All objects of a repository, or of one ref of it, by id and path, in pages. */
  inventory(repository: string, ref?: string): AsyncIterable<InventoryEntry[]>;
  /** Every object of the index, of all repositories, in pages and ordered by id. */
  everything(): AsyncIterable<HeldObject[]>;
  /** The objects with these ids as stored in Weaviate, in pages; missing ones are left out. */
  read(ids: readonly string[]): AsyncIterable<StoredObject[]>;
  /** The refs of objects, by id; missing ones are left out. */
  refsOf(ids: readonly string[]): Promise<Map<string, readonly string[]>>;
  /** The ids of the objects of these paths of a repository, or of one of its refs. */
  idsOfPaths(repository: string, paths: readonly string[], ref?: string): Promise<string[]>;
  /** The receipt of a repository at a ref. @default HEAD */
  readReceipt(repository: string, ref?: string): Promise<Receipt | null>;
  /** The receipts of some repositories at a ref, in one request and any order; missing ones are left out. */
  readReceipts(repositories: readonly string[], ref?: string): Promise<Receipt[]>;
  /** Writes the receipt of a repository at a ref, replacing the one there is. */
  writeReceipt(receipt: Receipt): Promise<void>;
  /** Deletes the receipt of a repository at a ref; nothing happens when there is none. */
  deleteReceipt(repository: string, ref: string): Promise<void>;
  /** All receipts, ordered by repository id, HEAD before branches. */
  receipts(): Promise<Receipt[]>;
  /** The receipts of one repository. */
  receiptsOf(repository: string): Promise<Receipt[]>;
  /** True when some repository is indexed at a branch in addition to its HEAD. */
  hasBranches(): Promise<boolean>;
}

type Chunks = Collection<ChunkProperties>;
type Receipts = Collection<ReceiptProperties>;

/**
 * Objects per request, and concurrent requests over all repositories of this process: many small requests cost Weaviate
 * a fifth more.
 */
const WRITE_BATCH = 1_000;
const WRITES_IN_FLIGHT = 2;
const DELETE_BATCH = 500;
const LIST_PAGE = 5_000;
const RECEIPT_PAGE = 500;
/** Whole objects per request: some kilobytes each. */
const READ_PAGE = 250;
/** Objects per request when only their refs are read. */
const REFS_PAGE = 1_000;
/** Less than every id. */
const NIL = '00000000-0000-0000-0000-000000000000';
/** The index `name`, for objects made under `digest`. */
export function createIndexStore(client: IndexClient, name: string, digest: string): IndexStore {
  const names = collectionNames(name, digest);
  const chunks: Chunks = client.collections.use<string, ChunkProperties>(names.chunks);
  const receipts: Receipts = client.collections.use<string, ReceiptProperties>(names.receipts);
  const slot = pLimit(WRITES_IN_FLIGHT);
  const ofRepository = (repository: string, ref?: string): FilterValue => {
    const own = chunks.filter.byProperty('repo').equal(repository);
    return ref === undefined ? own : Filters.and(own, chunks.filter.byProperty('refs').containsAny([ref]));
  };

  async function count(repository?: string, ref?: string): Promise<number> {
    const filters = repository === undefined ? {} : { filters: ofRepository(repository, ref) };
    return (await retried(() => chunks.aggregate.overAll(filters))).totalCount;
  }

  async function* inventory(repository: string, ref?: string): AsyncIterable<InventoryEntry[]> {
    const pages = Math.ceil((await count(repository, ref)) / LIST_PAGE);
    const step = Math.max(1, Math.floor(256 / Math.max(1, pages)));
    for (let from = 0; from < 256; from += step) {
      yield await listObjects(chunks, ofRepository(repository, ref), from, Math.min(256, from + step));
    }
  }

  async function* everything(): AsyncIterable<HeldObject[]> {
    for (let after = NIL, full = true; full;) {
      const { objects } = await retried(() =>
        chunks.query.fetchObjects({ limit: LIST_LIMIT, after, returnProperties: ['repo', 'refs'] }),
      );
      yield objects.map(({ uuid, properties: { repo, refs } }) => ({
        id: uuid,
        repository: repo ?? '',
        refs: refs ?? [],
      }));
      after = objects.at(-1)?.uuid ?? after;
      full = objects.length === LIST_LIMIT;
    }
  }

  async function* read(ids: readonly string[]): AsyncIterable<StoredObject[]> {
    for (let at = 0; at < ids.length; at += READ_PAGE) {
      const page = ids.slice(at, at + READ_PAGE);
      const { objects } = await retried(() =>
        chunks.query.fetchObjects({
          filters: chunks.filter.byId().containsAny(page),
          limit: READ_PAGE,
          includeVector: true,
        }),
      );
      yield objects.map(({ uuid, properties, vectors }) => ({
        id: uuid,
        properties,
        vector: (vectors['default'] ?? []) as number[],
      }));
    }
  }

  /** The failure to delete objects: Weaviate gives the reason only for the deletion of a single one. */
  async function notDeleted(filters: FilterValue, message: string): Promise<LonghaulError> {
    const { objects } = await retried(() => chunks.query.fetchObjects({ filters, limit: 1, returnProperties: [] }));
    for (const { uuid } of objects) await deleteOne(uuid);
    return new LonghaulError('IndexIncomplete', `${message}.`);
  }

  async function deleteOne(id: string): Promise<void> {
    await retried(() => chunks.data.deleteById(id), undefined, client.place);
  }

  async function deleteByIds(list: readonly string[], repository?: string): Promise<void> {
    for (let at = 0; at < list.length; at += DELETE_BATCH) {
      const batch = list.slice(at, at + DELETE_BATCH);
      const named = chunks.filter.byId().containsAny(batch);
      const filter = repository === undefined ? named : Filters.and(named, ofRepository(repository));
      const result = await retried(() => chunks.data.deleteMany(filter));
      processCounts.objectsDeleted += result.successful;
      if (result.failed > 0) throw await notDeleted(filter, `Weaviate could not delete ${result.failed} objects`);
    }
  }

  async function write(objects: readonly IndexObject[], signal?: AbortSignal): Promise<void> {
    const batches: Promise<void>[] = [];
    for (let at = 0; at < objects.length; at += WRITE_BATCH) {
      const batch = objects.slice(at, at + WRITE_BATCH);
      batches.push(slot(() => writeBatch(client, names.chunks, batch, signal)));
    }
    // a caller may continue at once after a failure: no write may still be in progress
    for (const batch of await Promise.allSettled(batches)) if (batch.status === 'rejected') throw batch.reason;
  }

  return {
    names,
    prepare: (description = 'Longhaul code chunks') => ensureSchema(client, names, description),
    write,
    delete: deleteByIds,
    async purge(ids) {
      await slot.map(ids, deleteOne);
    },
    count,
    inventory,
    everything,
    read,
    async deleteRepository(repository, branches = [], fence) {
      let deleted = 0;
      for (;;) {
        await fence?.();
        const { matches, successful, failed } = await retried(() => chunks.data.deleteMany(ofRepository(repository)));
        deleted += successful;
        processCounts.objectsDeleted += successful;
        if (failed > 0) {
          const message = `Weaviate could not delete ${failed} objects of ${repository}`;
          throw await notDeleted(ofRepository(repository), message);
        }
        if (matches === 0) break;
      }
      for (const ref of [...branches, DEFAULT_REF]) {
        await fence?.();
        await retried(() => receipts.data.deleteById(receiptId(repository, ref)));
      }
      return deleted;
    },
    async refsOf(ids) {
      const held = new Map<string, readonly string[]>();
      for (let at = 0; at < ids.length; at += REFS_PAGE) {
        const page = ids.slice(at, at + REFS_PAGE);
        const { objects } = await retried(() =>
          chunks.query.fetchObjects({
            filters: chunks.filter.byId().containsAny(page),
            limit: REFS_PAGE,
            returnProperties: ['refs'],
          }),
        );
        for (const { uuid, properties } of objects) held.set(uuid, properties.refs ?? []);
      }
      return held;
    },
    async idsOfPaths(repository, paths, ref) {
      const found: string[] = [];
      for (let at = 0; at < paths.length; at += 50) {
        const path = chunks.filter.byProperty('path').containsAny(paths.slice(at, at + 50));
        found.push(
          ...(await listObjects(chunks, Filters.and(ofRepository(repository, ref), path))).map(({ id }) => id),
        );
      }
      return found;
    },
    async readReceipt(repository, ref) {
      const found = await retried(() => receipts.query.fetchObjectById(receiptId(repository, ref)));
      return found === null ? null : receiptOf(found.properties);
    },
    async readReceipts(repositories, ref) {
      if (repositories.length === 0) return [];
      const ids = repositories.map((repository) => receiptId(repository, ref));
      const filters = receipts.filter.byId().containsAny(ids);
      const { objects } = await retried(() => receipts.query.fetchObjects({ filters, limit: ids.length }));
      return objects.map(({ properties }) => receiptOf(properties));
    },
    async writeReceipt(receipt) {
      const object = { id: receiptId(receipt.repository, receipt.ref), properties: propertiesOf(receipt) };
      const result = await retried(() => receipts.data.insertMany([object]));
      const [error] = Object.values(result.errors);
      if (error) {
        const message = `The receipt of ${receipt.repository} was refused: ${error.message}`;
        throw readOnlyFailure(client.place, error.message) ?? new LonghaulError('IndexIncomplete', message);
      }
    },
    async deleteReceipt(repository, ref) {
      await retried(() => receipts.data.deleteById(receiptId(repository, ref)));
    },
    async receipts() {
      // by cursor: the client's own iterator takes a hundred times as long
      const all: Receipt[] = [];
      for (let after: string | undefined, full = true; full;) {
        const cursor = after === undefined ? {} : { after };
        const { objects } = await retried(() => receipts.query.fetchObjects({ limit: RECEIPT_PAGE, ...cursor }));
        for (const { properties } of objects) all.push(receiptOf(properties));
        after = objects.at(-1)?.uuid;
        full = objects.length === RECEIPT_PAGE;
      }
      return all.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    },
    async receiptsOf(repository) {
      const filters = receipts.filter.byProperty('repository').equal(repository);
      const { objects } = await retried(() => receipts.query.fetchObjects({ filters, limit: RECEIPT_PAGE }));
      return objects.map(({ properties }) => receiptOf(properties));
    },
    async hasBranches() {
      const filters = receipts.filter.byProperty('ref').notEqual(DEFAULT_REF);
      const { objects } = await retried(() => receipts.query.fetchObjects({ filters, limit: 1 }));
      return objects.length > 0;
    },
  };
}

/** The sort key of receipts. */
function keyOf({ repository, ref }: Receipt): string {
  return `${repository}\0${ref}`;
}
