import { isBeingRemoved } from '../../domain/catalog/index/plan.ts';
import { NO_OBJECTS, type Receipt } from '../../domain/catalog/index/receipt.ts';
import { refsOfRepository } from '../../domain/catalog/index/refs.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { makeSureOfReceipt } from '../index/store/attempt.ts';
import type { Builds } from '../index/store/builds.ts';
import { release, type Released } from '../index/store/refs.ts';
import type { IndexStore } from '../index/store/store.ts';
import type { StreamSpool } from '../index/stream-spool.ts';
import type { Mgit } from '../mgit/index.ts';

/** Dependencies of a removal. */
export interface RemovalTools {
  readonly builds: Pick<Builds, 'list' | 'store'>;
  readonly mgit: Pick<Mgit, 'forget'>;
  readonly spool: Pick<StreamSpool, 'forget'>;
}

/**
 * Removes everything stored for a repository, at all refs: in this machine's cache and blob store, its objects in every
 * build, and its receipts last, with that of the live build after all others, so that an interrupted removal is
 * detected and continues. Returns the number of deleted objects. Throws `RepositoryBusy` when the repository is being
 * indexed again meanwhile: what is indexed since then stays.
 */
export async function removeFromBuilds(
  { builds, mgit, spool }: RemovalTools,
  id: string,
  signal: AbortSignal,
): Promise<number> {
  // the live build is listed first
  const stores = (await builds.list()).map(({ digest }) => builds.store(digest)).toReversed();
  const branches = new Map<IndexStore, readonly string[]>();
  for (const store of stores) {
    const head = await store.readReceipt(id);
    branches.set(store, head?.branches ?? []);
    await withdraw(store, head);
    for (const ref of head?.branches ?? []) await withdraw(store, await store.readReceipt(id, ref));
  }
  signal.throwIfAborted();
  await mgit.forget(id);
  await spool.forget(id);
  let deleted = 0;
  for (const store of stores) {
    deleted += await store.deleteRepository(id, branches.get(store), async () => {
      signal.throwIfAborted();
      await ensureStillWithdrawn(store, id);
    });
  }
  return deleted;
}

/**
 * Removes one branch (the full name of its ref) of a repository in every build; HEAD and other branches stay. See
 * {@link takeOutBranch}.
 */
export async function removeBranch(
  { builds }: Pick<RemovalTools, 'builds'>,
  id: string,
  ref: string,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (const { digest } of (await builds.list()).toReversed()) {
    const store = builds.store(digest);
    const head = await store.readReceipt(id);
    if (head?.branches?.includes(ref)) deleted += (await takeOutBranch(store, head, ref, signal)).deleted;
  }
  return deleted;
}

/**
 * Removes a branch from a build: objects that no other ref holds are deleted, the others written again without it; then
 * its receipt is deleted, and then its name is removed from the receipt of HEAD, which is returned. If it is killed,
 * the next sync of the repository continues. Throws `RepositoryBusy` when another run took over.
 */
export async function takeOutBranch(
  store: IndexStore,
  head: Receipt,
  ref: string,
  signal: AbortSignal,
): Promise<Released & { readonly head: Receipt }> {
  const { repository } = head;
  const of = { ref, refs: refsOfRepository(head) };
  const fence = (): Promise<void> => ensureStillWithdrawn(store, repository, ref);
  await withdraw(store, await store.readReceipt(repository, ref));
  let deleted = 0;
  let rewritten = 0;
  for (let seen = -1; seen !== 0;) {
    seen = 0;
    for await (const page of store.inventory(repository, ref)) {
      signal.throwIfAborted();
      seen += page.length;
      const ids = page.map(({ id }) => id);
      const released = await release(store, ids, of, { fence, signal });
      deleted += released.deleted;
      rewritten += released.rewritten;
    }
  }
  await fence();
  await store.deleteReceipt(repository, ref);
  const left = (head.branches ?? []).filter((one) => one !== ref);
  return { deleted, rewritten, head: await listBranches(store, head, left) };
}

/** Updates the branches on the receipt of HEAD, if they differ. Throws `RepositoryBusy`. */
export async function listBranches(store: IndexStore, head: Receipt, branches: readonly string[]): Promise<Receipt> {
  const { branches: before = [], ...rest } = head;
  if (before.join() === branches.join()) return head;
  await makeSureOfReceipt(store, head.repository, head);
  const listed = branches.length === 0 ? rest : { ...rest, branches };
  await store.writeReceipt(listed);
  return listed;
}

/** Marks a receipt as being removed: from then on it no longer counts, even if this run is killed. */
async function withdraw(store: IndexStore, receipt: Receipt | null): Promise<void> {
  if (receipt) await store.writeReceipt({ ...receipt, ...NOTHING_INDEXED, indexedAt: new Date().toISOString() });
}

/**
 * Throws `RepositoryBusy` when a run has started to index the repository again, which it marks in the receipt first.
 */
async function ensureStillWithdrawn(store: IndexStore, id: string, ref?: string): Promise<void> {
  const receipt = await store.readReceipt(id, ref);
  if (receipt === null || isBeingRemoved(receipt)) return;
  throw new LonghaulError('RepositoryBusy', `${id} has been indexed again since its removal began.`);
}

const NOTHING_INDEXED = { commit: '', tree: '', files: 0, objects: 0, xor: NO_OBJECTS, pending: null };
