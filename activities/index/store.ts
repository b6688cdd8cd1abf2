import pLimit from 'p-limit';
import { type Collection, Filters, type FilterValue, type WeaviateClient } from 'weaviate-client';
import { DEFAULT_REF, type Receipt, type Snapshot } from '../../domain/catalog/receipt.ts';
import { LonghaulError } from '../../domain/failures.ts';
import { receiptId } from './object-id.ts';
import { type ChunkProperties, type CollectionNames, collectionNames, ensureSchema } from './schema.ts';
import type { ReceiptProperties } from './schema.ts';
import { isConnectionLoss, unavailable } from './weaviate.ts';

/** One object of the index: a chunk of code with its vector. */
export interface IndexObject {
  readonly id: string;
  readonly properties: Omit<ChunkProperties, 'bucket'>;
  readonly vector: Float32Array;
}

/** One object as a listing shows it. */
export interface InventoryEntry {
  readonly id: string;
  readonly path: string;
}

/** The index in Weaviate: chunks of code, and the receipts that vouch for them. */
export interface IndexStore {
  readonly names: CollectionNames;
  /** Makes and checks the collections; every other method needs it to have run once. */
  prepare(): Promise<void>;
  /**
   * Writes objects, replacing those of the same id. What Weaviate refuses is tried again one by one; throws
   * `IndexIncomplete` with the reason when an object still cannot be stored. Nothing refused counts as written.
   */
  write(objects: readonly IndexObject[]): Promise<void>;
  /** Deletes objects by id; ids that are not there are no error. */
  delete(ids: readonly string[]): Promise<void>;
  /**
   * Forgets objects that were written but are in no listing: a Weaviate killed in the middle of a write may keep an object
   * without an entry in its indexes, and passes over it when the same is written again.
   */
  forget(ids: readonly string[]): Promise<void>;
  /** Deletes every object of a repository and its receipt, the receipt last. Gives the number of objects deleted. */
  deleteRepository(repository: string): Promise<number>;
  /** How many objects a repository has. */
  count(repository: string): Promise<number>;
  /** All objects of a repository by id and path, in pages. */
  inventory(repository: string): AsyncIterable<InventoryEntry[]>;
  /** The ids of the objects of these paths of a repository. */
  idsOfPaths(repository: string, paths: readonly string[]): Promise<string[]>;
  readReceipt(repository: string): Promise<Receipt | null>;
  writeReceipt(receipt: Receipt): Promise<void>;
  /** All receipts, in order of repository ids. */
  receipts(): Promise<Receipt[]>;
}

type Chunks = Collection<ChunkProperties>;
type Receipts = Collection<ReceiptProperties>;

/** Objects a request: larger ones are not faster (measured: docs/decisions/0003-weaviate-writes.md). */
const WRITE_BATCH = 250;
/** Requests at the same time, over all repositories of this process. */
const WRITES_IN_FLIGHT = 8;
const DELETE_BATCH = 500;
/** Weaviate's QUERY_MAXIMUM_RESULTS, unless the server was told otherwise. */
const LIST_LIMIT = 10_000;
const LIST_PAGE = 5_000;
const RECEIPT_PAGE = 500;
const TRIES = 4;

/** The index called `name`, for objects made under `digest`. */
export function createIndexStore(client: WeaviateClient, name: string, digest: string): IndexStore {
  const names = collectionNames(name, digest);
  const chunks: Chunks = client.collections.use<string, ChunkProperties>(names.chunks);
  const receipts: Receipts = client.collections.use<string, ReceiptProperties>(names.receipts);
  const slot = pLimit(WRITES_IN_FLIGHT);
  const ofRepository = (repository: string) => chunks.filter.byProperty('repo').equal(repository);

  async function count(repository: string): Promise<number> {
    return (await retried(() => chunks.aggregate.overAll({ filters: ofRepository(repository) }))).totalCount;
  }

  /** All objects that match, of those whose bucket is in [from, to): asked in smaller parts when one answer cannot hold them. */
  async function listWhere(filters: FilterValue, from = 0, to = 256): Promise<InventoryEntry[]> {
    const bucket = chunks.filter.byProperty('bucket');
    const part = Filters.and(filters, bucket.greaterOrEqual(from), bucket.lessThan(to));
    const { objects } = await retried(() =>
      chunks.query.fetchObjects({ filters: part, limit: LIST_LIMIT, returnProperties: ['path'] }),
    );
    if (objects.length < LIST_LIMIT)
      return objects.map(({ uuid, properties }) => ({ id: uuid, path: properties.path }));
    if (to - from === 1) {
      throw new LonghaulError('IndexIncomplete', 'Weaviate holds more objects of one repository than can be listed.');
    }
    const middle = (from + to) >> 1;
    return [...(await listWhere(filters, from, middle)), ...(await listWhere(filters, middle, to))];
  }

  async function* inventory(repository: string): AsyncIterable<InventoryEntry[]> {
    const pages = Math.ceil((await count(repository)) / LIST_PAGE);
    const step = Math.max(1, Math.floor(256 / Math.max(1, pages)));
    for (let from = 0; from < 256; from += step) {
      yield await listWhere(ofRepository(repository), from, Math.min(256, from + step));
    }
  }

  async function deleteByIds(list: readonly string[]): Promise<void> {
    for (let at = 0; at < list.length; at += DELETE_BATCH) {
      const batch = list.slice(at, at + DELETE_BATCH);
      const result = await retried(() => chunks.data.deleteMany(chunks.filter.byId().containsAny(batch)));
      if (result.failed > 0) {
        throw new LonghaulError('IndexIncomplete', `Weaviate could not delete ${result.failed} objects.`);
      }
    }
  }

  async function write(objects: readonly IndexObject[]): Promise<void> {
    const batches: Promise<void>[] = [];
    for (let at = 0; at < objects.length; at += WRITE_BATCH) {
      const batch = objects.slice(at, at + WRITE_BATCH);
      batches.push(slot(() => writeBatch(chunks, batch)));
    }
    await Promise.all(batches);
  }

  return {
    names,
    prepare: () => ensureSchema(client, names),
    write,
    delete: deleteByIds,
    async forget(ids) {
      // by its own address: a filter goes through the indexes
      await Promise.all(ids.map((id) => slot(() => retried(() => chunks.data.deleteById(id)))));
    },
    count,
    inventory,
    async deleteRepository(repository) {
      let deleted = 0;
      for (;;) {
        const { matches, successful, failed } = await retried(() => chunks.data.deleteMany(ofRepository(repository)));
        deleted += successful;
        if (failed > 0) {
          throw new LonghaulError('IndexIncomplete', `Weaviate could not delete ${failed} objects of ${repository}.`);
        }
        if (matches === 0) break;
      }
      await retried(() => receipts.data.deleteById(receiptId(repository)));
      return deleted;
    },
    async idsOfPaths(repository, paths) {
      const found: string[] = [];
      for (let at = 0; at < paths.length; at += 50) {
        const path = chunks.filter.byProperty('path').containsAny(paths.slice(at, at + 50));
        found.push(...(await listWhere(Filters.and(ofRepository(repository), path))).map(({ id }) => id));
      }
      return found;
    },
    async readReceipt(repository) {
      const found = await retried(() => receipts.query.fetchObjectById(receiptId(repository)));
      return found === null ? null : receiptOf(found.properties);
    },
    async writeReceipt(receipt) {
      const object = { id: receiptId(receipt.repository, receipt.ref), properties: propertiesOf(receipt) };
      const result = await retried(() => receipts.data.insertMany([object]));
      const [error] = Object.values(result.errors);
      if (error) {
        throw new LonghaulError(
          'IndexIncomplete',
          `The receipt of ${receipt.repository} was refused: ${error.message}`,
        );
      }
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
      return all.sort((a, b) => (a.repository < b.repository ? -1 : 1));
    },
  };
}

async function writeBatch(chunks: Chunks, batch: readonly IndexObject[]): Promise<void> {
  let left = batch;
  for (let attempt = 1; ; attempt++) {
    const objects = left.map(({ id, properties, vector }) => ({
      id,
      properties: { ...properties, bucket: Number.parseInt(id.slice(0, 2), 16) },
      vectors: Array.from(vector),
    }));
    const { errors } = await retried(() => chunks.data.insertMany(objects));
    const refused = Object.entries(errors);
    if (refused.length === 0) return;
    const [, first] = refused[0] ?? [];
    if (attempt === TRIES) {
      throw new LonghaulError(
        'IndexIncomplete',
        `Weaviate refused ${refused.length} of ${batch.length} objects: ${first?.message ?? 'no reason given'}`,
      );
    }
    const failed = new Set(refused.map(([index]) => Number(index)));
    left = left.filter((_, index) => failed.has(index));
    await pause(attempt);
  }
}

/**
 * Tries again: a server that restarts must not cost the whole repository. When it stays away, `ServerUnavailable`, which the
 * flow waits out.
 */
async function retried<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === TRIES) throw isConnectionLoss(error) ? unavailable(error) : error;
      await pause(attempt);
    }
  }
}

function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 250 * 2 ** attempt);
  });
}

function propertiesOf(receipt: Receipt): ReceiptProperties {
  const { branch, timestamp, pending, ...rest } = receipt;
  return {
    ...rest,
    branch: branch ?? '',
    timestamp: timestamp ?? '',
    pending: pending === null ? '' : JSON.stringify(pending),
  };
}

function receiptOf(properties: ReceiptProperties): Receipt {
  const { branch, timestamp, pending, ...rest } = properties;
  return {
    ...rest,
    ref: rest.ref || DEFAULT_REF,
    branch: branch === '' ? null : branch,
    timestamp: timestamp === '' ? null : timestamp,
    pending: pending === '' ? null : (JSON.parse(pending) as Snapshot),
  };
}
