import { NO_OBJECTS } from '../domain/catalog/receipt.ts';
import type { IndexStore } from './index/store.ts';
import type { StreamSpool } from './index/stream-spool.ts';
import type { Mgit } from './mgit/index.ts';

/** What a removal touches. */
export interface RemovalTools {
  readonly store: IndexStore;
  readonly mgit: Pick<Mgit, 'forget'>;
  readonly spool: Pick<StreamSpool, 'forget'>;
}

/**
 * Removes everything that is kept of a repository: what this machine's cache and blob store hold, its objects, and its receipt
 * last, so that a removal that was killed is seen and goes on. Gives the number of objects deleted.
 */
export async function removeFromIndex({ store, mgit, spool }: RemovalTools, id: string): Promise<number> {
  const receipt = await store.readReceipt(id);
  // from here on it vouches for nothing, whatever happens to this run
  if (receipt) await store.writeReceipt({ ...receipt, ...NOTHING_INDEXED });
  await mgit.forget(id);
  await spool.forget(id);
  return store.deleteRepository(id);
}

const NOTHING_INDEXED = { commit: '', tree: '', files: 0, objects: 0, xor: NO_OBJECTS, pending: null };
