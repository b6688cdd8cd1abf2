import { NO_OBJECTS } from '../domain/catalog/receipt.ts';
import { LonghaulError } from '../domain/failures.ts';
import type { Builds } from './index/builds.ts';
import type { IndexStore } from './index/store.ts';
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
 * last, that of the live build after all others, so that a removal that was killed is seen and goes on. Gives the number of
 * objects deleted. Throws `RepositoryBusy` when the repository is being indexed anew meanwhile: what is indexed since stays.
 */
export async function removeFromIndex(
  { builds, mgit, spool }: RemovalTools,
  id: string,
  signal: AbortSignal,
): Promise<number> {
  // the live build is listed first
  const stores = (await builds.list()).map(({ digest }) => builds.store(digest)).toReversed();
  for (const store of stores) {
    const receipt = await store.readReceipt(id);
    // from here on it vouches for nothing, whatever happens to this run
    if (receipt) await store.writeReceipt({ ...receipt, ...NOTHING_INDEXED, indexedAt: new Date().toISOString() });
  }
  signal.throwIfAborted();
  await mgit.forget(id);
  await spool.forget(id);
  let deleted = 0;
  for (const store of stores) {
    deleted += await store.deleteRepository(id, async () => {
      signal.throwIfAborted();
      await makeSureItIsUnwanted(store, id);
    });
  }
  return deleted;
}

/** Whoever indexes a repository writes first on its receipt where it is going: a mark of removal without that is still true. */
async function makeSureItIsUnwanted(store: IndexStore, id: string): Promise<void> {
  const receipt = await store.readReceipt(id);
  if (receipt === null || (receipt.commit === '' && receipt.pending === null)) return;
  throw new LonghaulError('RepositoryBusy', `${id} has been indexed anew since its removal began.`);
}

const NOTHING_INDEXED = { commit: '', tree: '', files: 0, objects: 0, xor: NO_OBJECTS, pending: null };
