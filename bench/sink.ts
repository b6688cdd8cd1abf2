import { collectionNames } from '../activities/index/store/collection-names.ts';
import type { Receipt } from '../domain/catalog/index/receipt.ts';
import type { IndexStore } from '../activities/index/store/store.ts';

/**
 * A store that only acknowledges: an onboarding with it takes the time that is not Weaviate's. Counts as Weaviate
 * would.
 */
export function createSink(digest: string): IndexStore {
  const stored = new Map<string, Set<string>>();
  const receipts = new Map<string, Receipt>();
  const idsOf = (repository: string): Set<string> => stored.getOrInsertComputed(repository, () => new Set());
  return {
    names: collectionNames('Sink', digest),
    prepare: () => Promise.resolve(),
    write: (objects) => {
      for (const { id, properties } of objects) idsOf(properties.repo).add(id);
      return Promise.resolve();
    },
    delete: (ids) => {
      for (const of of stored.values()) for (const id of ids) of.delete(id);
      return Promise.resolve();
    },
    deleteRepository: (repository) => {
      const { size } = idsOf(repository);
      stored.delete(repository);
      return Promise.resolve(size);
    },
    count: (repository = '') => Promise.resolve(idsOf(repository).size),
    purge: refuse,
    inventory: refuse,
    everything: refuse,
    read: refuse,
    idsOfPaths: refuse,
    refsOf: refuse,
    deleteReceipt: refuse,
    receiptsOf: refuse,
    hasBranches: () => Promise.resolve(false),
    readReceipt: (repository) => Promise.resolve(receipts.get(repository) ?? null),
    readReceipts: (ids) => Promise.resolve(ids.flatMap((id) => receipts.get(id) ?? [])),
    writeReceipt: (receipt) => {
      receipts.set(receipt.repository, receipt);
      return Promise.resolve();
    },
    receipts: () => Promise.resolve([...receipts.values()]),
  };
}

function refuse(): never {
  throw new Error('the sink stores no objects that could be listed');
}
