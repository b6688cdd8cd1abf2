import type { Receipt } from '../../../domain/catalog/index/receipt.ts';
import type { Snapshot } from '../../../domain/git/snapshot.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { IndexStore } from './store.ts';

/** One attempt to bring a ref of a repository up to date, or to repair it. */
export interface Attempt {
  readonly store: IndexStore;
  readonly repository: string;
  readonly ref: string;
  /** {@link Pending.run} */
  readonly run: string;
}

/**
 * Marks the receipt with the target of this attempt. Throws `RepositoryBusy` when another one finished since the
 * receipt was read.
 */
export async function begin({ store, repository, ref, run }: Attempt, previous: Receipt, to: Snapshot): Promise<void> {
  const stored = await store.readReceipt(repository, ref);
  if ((stored?.indexedAt ?? '') !== previous.indexedAt) throw replaced(repository);
  await store.writeReceipt({ ...previous, pending: { ...to, run } });
}

/**
 * Throws `RepositoryBusy` when another attempt replaced this one. Temporal gives the work to another worker when this
 * one stops heartbeating; a process that was suspended and resumes must not delete anything or write a receipt.
 */
export async function makeSure({ store, repository, ref, run }: Attempt): Promise<void> {
  if ((await store.readReceipt(repository, ref))?.pending?.run !== run) throw replaced(repository);
}

/**
 * Throws `RepositoryBusy` when another attempt has begun or finished since this receipt, or none, was read: the fence
 * of an attempt that does not mark the receipt.
 */
export async function makeSureOfReceipt(store: IndexStore, repository: string, read: Receipt | null): Promise<void> {
  const stored = await store.readReceipt(repository, read?.ref);
  const isSame =
    stored?.indexedAt === read?.indexedAt &&
    stored?.commit === read?.commit &&
    stored?.pending?.run === read?.pending?.run &&
    stored?.branches?.join() === read?.branches?.join();
  if (!isSame) throw replaced(repository);
}

function replaced(repository: string): LonghaulError {
  return new LonghaulError('RepositoryBusy', `Another run has taken over ${repository} since this one began.`);
}
