import { NO_OBJECTS } from '../domain/catalog/receipt.ts';
import type { Builds } from './index/builds.ts';
import type { StreamSpool } from './index/stream-spool.ts';
import type { Mgit } from './mgit/index.ts';

/** What a removal touches. */
export interface RemovalTools {
  readonly builds: Pick<Builds, 'list' | 'store'>;
  readonly mgit: Pick<Mgit, 'forget'>;
  readonly spool: Pick<StreamSpool, 'forget'>;
}

/**
 * Removes everything that is kept of a repository: what this machine's cache and blob store hold, its objects in every build, and its receipts
 * last, so that a removal that was killed is seen and goes on. Gives the number of objects deleted.
 */
export async function removeFromIndex({ builds, mgit, spool }: RemovalTools, id: string): Promise<number> {
  const stores = (await builds.list()).map(({ digest }) => builds.store(digest));
  for (const store of stores) {
    const receipt = await store.readReceipt(id);
    // from here on it vouches for nothing, whatever happens to this run
    if (receipt) await store.writeReceipt({ ...receipt, ...NOTHING_INDEXED });
  }
  await mgit.forget(id);
  await spool.forget(id);
  let deleted = 0;
  for (const store of stores) deleted += await store.deleteRepository(id);
  return deleted;
}

const NOTHING_INDEXED = { commit: '', tree: '', files: 0, objects: 0, xor: NO_OBJECTS, pending: null };
