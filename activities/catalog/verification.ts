import { randomUUID } from 'node:crypto';
import { addressOfReceipt, isBeingRemoved, isIndexed, STREAM_URL } from '../../domain/catalog/index/plan.ts';
import { branchOfRef } from '../../domain/git/branch.ts';
import { branchNames, refsOfRepository } from '../../domain/catalog/index/refs.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF, type Snapshot } from '../../domain/git/snapshot.ts';
import type { Repository, RepositoryAddress, Whereabouts } from '../../domain/git/repository.ts';
import {
  createDifferenceLog,
  type DifferenceLog,
  type RepositoryVerification,
  totalOf,
} from '../../domain/catalog/index/verification.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type RefGoal, seenHead } from './bring-up-to-date.ts';
import {
  compareLeft,
  compareObjects,
  type CompareOptions,
  type ComparisonResult,
  countHeld,
  deleteHeld,
  type Fence,
  heldOf,
} from '../index/compare.ts';
import { begin, makeSure, makeSureOfReceipt } from '../index/store/attempt.ts';
import type { IngestTools } from '../index/ingest.ts';
import { HEAD_ALONE, headOf } from '../index/store/refs.ts';
import type { Mgit } from '../mgit/index.ts';
import { removeFromBuilds, type RemovalTools, takeOutBranch } from './removal.ts';

/** Dependencies of a verification. */
export type VerificationTools = Pick<IngestTools, 'analyzer' | 'store'> & RemovalTools & { readonly mgit: Mgit };

type Verified = Pick<RepositoryVerification, 'compared' | 'note'> & {
  /** True when all differences were repaired. */
  readonly repaired: boolean;
  readonly work: Pick<ComparisonResult, 'objectsWritten' | 'objectsDeleted' | 'embedded' | 'embeddingsReused'>;
};

const NO_WORK: Verified['work'] = { objectsWritten: 0, objectsDeleted: 0, embedded: 0, embeddingsReused: 0 };

/**
 * Compares the index of one repository with git at the commits of its receipts, one ref after the other, and with
 * `repair` repairs exactly what differs, receipts last. The caller holds the repository's lock. It may be killed at any
 * point and repeated. Throws what mgit throws when git is not available; a provider that does not answer never makes a
 * repository `gone`. Throws `RepositoryBusy` when another run took over.
 */
export async function verifyIndexed(
  tools: VerificationTools,
  id: string,
  options: CompareOptions,
): Promise<RepositoryVerification> {
  const started = Date.now();
  const log = createDifferenceLog();
  const receipt = await tools.store.readReceipt(id);
  const { compared, note, repaired, work } =
    receipt === null
      ? await verifyWithoutReceipt(tools, id, log, options)
      : await verifyReceipt(tools, id, receipt, log, options);
  const differences = log.differences();
  return {
    repository: id,
    compared,
    differences,
    isTrue: repaired || totalOf(differences) === 0,
    note,
    ...work,
    durationMs: Date.now() - started,
  };
}

/** Objects of a repository without a receipt: no sync would ever update them. */
async function verifyWithoutReceipt(
  { store }: VerificationTools,
  id: string,
  log: DifferenceLog,
  { repair, signal }: CompareOptions,
): Promise<Verified> {
  let objectsDeleted = 0;
  const fence = (): Promise<void> => makeSureOfReceipt(store, id, null);
  for await (const page of heldOf(store, id)) {
    signal.throwIfAborted();
    for (const object of page) log.add('foreign', object);
    if (repair) objectsDeleted += await deleteHeld(store, page, id, fence);
  }
  await verifyStrays(store, id, [], log, repair ? fence : null);
  return { compared: 'nothing', note: null, repaired: repair, work: { ...NO_WORK, objectsDeleted } };
}

async function verifyReceipt(
  tools: VerificationTools,
  id: string,
  receipt: Receipt,
  log: DifferenceLog,
  options: CompareOptions,
): Promise<Verified> {
  const { repair, signal } = options;
  if (receipt.commit === '' && receipt.pending === null) {
    log.add('receipt', 'a removal that was not finished');
    const objectsDeleted = repair ? await removeFromBuilds(tools, id, signal) : 0;
    return { compared: 'nothing', note: null, repaired: repair, work: { ...NO_WORK, objectsDeleted } };
  }
  if (receipt.cloneUrl.startsWith(STREAM_URL)) {
    return verifyStream(tools, id, receipt, log, options);
  }
  const where = (await tools.mgit.whereabouts([{ ...addressOfReceipt(receipt), id }], { signal })).get(id);
  const lost = await verifyWhereabouts(tools, receipt, where, log, options);
  if (lost !== null) return lost;
  const known =
    where !== undefined && !(where instanceof LonghaulError) && where.state === 'there' ? where.repository : null;
  const address = addressOf(id, receipt, known);
  const fence = (): Promise<void> => makeSureOfReceipt(tools.store, id, receipt);
  await verifyStrays(tools.store, id, refsOfRepository(receipt), log, repair ? fence : null);
  const verified =
    receipt.branches === undefined
      ? await verifyAgainstGit(tools, address, receipt, log, { ...options, of: HEAD_ALONE, reported: new Set() })
      : await verifyRefs(tools, address, receipt, log, options);
  return where instanceof LonghaulError
    ? { ...verified, note: `it is unknown whether its provider still has it: ${where.message}` }
    : verified;
}

/**
 * Receipts of refs that the receipt of HEAD does not list: no sync updates them. Deletes them when there is a fence.
 */
async function verifyStrays(
  store: VerificationTools['store'],
  id: string,
  listed: readonly string[],
  log: DifferenceLog,
  fence: Fence | null,
): Promise<void> {
  for (const { ref } of await store.receiptsOf(id)) {
    if (listed.includes(ref)) continue;
    log.add('receipt', `${ref}: no sync updates it`);
    if (fence === null) continue;
    await fence();
    await store.deleteReceipt(id, ref);
  }
}

/** Checks each ref of a repository, HEAD first; then objects that none of them holds. */
async function verifyRefs(
  tools: VerificationTools,
  address: RepositoryAddress,
  receipt: Receipt,
  log: DifferenceLog,
  options: CompareOptions,
): Promise<Verified> {
  const { store, mgit } = tools;
  const { id } = address;
  const now = await seenHead(mgit, address, branchNames(receipt), options.signal);
  const tips = new Map([[DEFAULT_REF, now.commit], ...(now.branches ?? [])]);
  const reported = new Set<string>();
  const { refs } = headOf(receipt);
  const verified: VerifiedRef[] = [];
  for (const ref of refs) {
    const branch = branchOfRef(ref);
    const commit = branch === null || branch === now.branch ? now.commit : now.branches?.get(ref);
    const own = branch === null ? receipt : await store.readReceipt(id, ref);
    if (own === null || isBeingRemoved(own) || commit === undefined) {
      verified.push(await verifyGoneBranch(tools, receipt, { ref, isGone: commit === undefined }, log, options));
      continue;
    }
    const named = branch === null ? log : { ...log, add: prefixed(log, branch) };
    const goal = { of: { ref, refs }, at: { commit, branch: branch ?? now.branch }, tips };
    verified.push(await verifyAgainstGit(tools, address, own, named, { ...options, ...goal, reported }));
  }
  const ids = new Set(verified.flatMap((one) => [...(one.ids ?? [])]));
  const isWhole = verified.every((one) => one.ids !== null);
  const head = await store.readReceipt(id);
  const fence = (): Promise<void> => makeSureOfReceipt(store, id, head);
  // where a commit is not available, its objects are unknown
  const left = isWhole ? await compareLeft(tools, id, ids, log, { ...options, fence, reported }) : 0;
  return joined(verified, left);
}

/** The verification of one ref. */
interface VerifiedRef extends Verified {
  /** Ids of the objects that belong to the ref; null when git could not provide them. */
  readonly ids: ReadonlySet<string> | null;
}

function prefixed(log: DifferenceLog, branch: string): DifferenceLog['add'] {
  return (kind, what, count) => log.add(kind, `${branch}: ${what}`, count);
}

function joined(verified: readonly Verified[], left: number): Verified {
  const sum = (count: (work: Verified['work']) => number): number =>
    verified.reduce((total, { work }) => total + count(work), 0);
  return {
    compared: verified.every(({ compared }) => compared === 'everything') ? 'everything' : 'counts',
    note: verified.find(({ note }) => note !== null)?.note ?? null,
    repaired: verified.every(({ repaired }) => repaired),
    work: {
      objectsWritten: sum((work) => work.objectsWritten),
      objectsDeleted: sum((work) => work.objectsDeleted) + left,
      embedded: sum((work) => work.embedded),
      embeddingsReused: sum((work) => work.embeddingsReused),
    },
  };
}

/** A branch that the repository no longer has, or whose removal was not finished. */
async function verifyGoneBranch(
  { store }: VerificationTools,
  { repository }: Receipt,
  { ref, isGone }: { readonly ref: string; readonly isGone: boolean },
  log: DifferenceLog,
  { repair, signal }: CompareOptions,
): Promise<VerifiedRef> {
  const branch = branchOfRef(ref) ?? ref;
  if (isGone) log.add('gone', `the branch ${branch}`);
  else log.add('receipt', `${branch}: a removal that was not finished`);
  const verified = { compared: 'everything' as const, ids: new Set<string>(), work: NO_WORK };
  const head = await store.readReceipt(repository);
  if (!repair || head === null) return { ...verified, note: 'the next sync removes it', repaired: false };
  const { deleted, rewritten } = await takeOutBranch(store, head, ref, signal);
  return {
    ...verified,
    note: null,
    repaired: true,
    work: { ...NO_WORK, objectsWritten: rewritten, objectsDeleted: deleted },
  };
}

/** Reports a repository that has moved or is gone; null when it can be compared with git. */
async function verifyWhereabouts(
  tools: VerificationTools,
  receipt: Receipt,
  where: Whereabouts | LonghaulError | undefined,
  log: DifferenceLog,
  { repair, signal }: CompareOptions,
): Promise<Verified | null> {
  const id = receipt.repository;
  const unrepaired = (note: string): Verified => ({ compared: 'nothing', note, repaired: false, work: NO_WORK });
  if (where === undefined || where instanceof LonghaulError || where.state === 'there') return null;
  if (where.state === 'no-provider') {
    log.add('foreign', `the receipt of ${id}`);
    return unrepaired(
      'no provider of that name is configured: configure it, or remove it with `longhaul index remove`',
    );
  }
  if (where.state === 'moved') {
    log.add('gone', `${id} is ${where.repository.id} now`);
    return unrepaired('the next sync moves it');
  }
  log.add('gone', id);
  if (!repair) return unrepaired('its provider no longer has it');
  if (!where.certain) {
    return unrepaired(
      'its provider shows no repository of that organization, which does not prove that it is gone: nothing was removed',
    );
  }
  await makeSureOfReceipt(tools.store, id, receipt);
  const objectsDeleted = await removeFromBuilds(tools, id, signal);
  return { compared: 'nothing', note: null, repaired: true, work: { ...NO_WORK, objectsDeleted } };
}

/**
 * A repository that was only ingested as a stream: only number and XOR of the ids can be checked against the receipt.
 */
async function verifyStream(
  { store, analyzer: { digest } }: VerificationTools,
  id: string,
  receipt: Receipt,
  log: DifferenceLog,
  { repair }: CompareOptions,
): Promise<Verified> {
  const fence = (): Promise<void> => makeSureOfReceipt(store, id, receipt);
  const held = await countHeld(store, id, log, { digest, of: HEAD_ALONE, repair, fence });
  const wrong = wrongFields({ ...receipt, pending: null }, { objects: held.objects, xor: held.xor });
  if (receipt.pending !== null) wrong.push('pending');
  if (wrong.length > 0) log.add('receipt', wrong.join(', '));
  const note = 'it came as a stream, so it cannot be compared with git';
  return {
    compared: 'counts',
    note: wrong.length > 0 ? `${note}: ingest its stream again, or remove it` : note,
    repaired: repair && wrong.length === 0,
    work: { ...NO_WORK, objectsDeleted: held.objectsDeleted },
  };
}

/**
 * Checks one ref completely at the commit of its receipt. When that commit is no longer available, only the receipt's
 * own sums are checked; a repair then uses the repository's current state.
 */
async function verifyAgainstGit(
  tools: VerificationTools,
  address: RepositoryAddress,
  receipt: Receipt,
  log: DifferenceLog,
  options: CompareOptions & RefGoal & { readonly reported: Set<string> },
): Promise<VerifiedRef> {
  const { store, analyzer, mgit } = tools;
  const { digest } = analyzer;
  const { of, at, tips, repair, signal } = options;
  const target: Snapshot = receipt.commit === '' ? (receipt.pending ?? receipt) : receipt;
  const listing = await mgit.diff(address, null, { target, ...(at && tips ? { at, tips } : {}), signal });
  if (receipt.pending !== null) log.add('receipt', 'pending: a run that was not finished');
  const repairing = createRepair(store, receipt, listing.to);
  if (listing.to.commit !== target.commit) {
    log.add('receipt', `commit ${target.commit.slice(0, 64)}: the repository does not have it`);
    if (!repair) {
      const held = await countHeld(store, address.id, log, { digest, of, repair, fence: repairing.fence });
      const wrong = wrongFields(receipt, { objects: held.objects, xor: held.xor });
      if (wrong.length > 0) log.add('receipt', wrong.join(', '));
      const note = 'git no longer has its commit';
      return { compared: 'counts', note, repaired: false, work: NO_WORK, ids: null };
    }
  }
  const work = await compareObjects({ store, analyzer }, address.id, listing.changes(), log, {
    ...options,
    fence: repairing.fence,
  });
  const { files, objects, xor } = work;
  const { commit, tree, timestamp } = listing.to;
  const truth = { repository: address.id, ref: of.ref, cloneUrl: address.cloneUrl, tree, timestamp, digest };
  // fields of a receipt without a commit are not wrong
  const wrong = receipt.commit === '' ? [] : wrongFields(receipt, { ...truth, files, objects, xor });
  if (wrong.length > 0) log.add('receipt', wrong.join(', '));
  const isWrong = wrong.length > 0 || receipt.commit !== commit || !isIndexed(receipt, digest);
  if (repair && (isWrong || repairing.hasBegun())) {
    signal.throwIfAborted();
    await repairing.fence();
    await store.writeReceipt({
      ...receipt,
      ...(address.uid === undefined ? {} : { uid: address.uid }),
      ...truth,
      commit,
      branch: listing.to.branch,
      files,
      objects,
      xor,
      indexedAt: new Date().toISOString(),
      pending: null,
    });
  }
  return { compared: 'everything', note: null, repaired: repair, work, ids: work.ids };
}

/**
 * The repair of one repository. Before its first change it marks the receipt with its target, as an ingestion does; a
 * repository without differences is not written to.
 */
function createRepair(
  store: VerificationTools['store'],
  receipt: Receipt,
  to: Snapshot,
): { readonly fence: Fence; hasBegun(): boolean } {
  const { repository, ref } = receipt;
  const attempt = { store, repository, ref, run: randomUUID() };
  let beginning: Promise<void> | null = null;
  async function start(): Promise<void> {
    await makeSureOfReceipt(store, repository, receipt);
    await begin(attempt, receipt, to);
  }
  return {
    async fence() {
      await (beginning ??= start());
      await makeSure(attempt);
    },
    hasBegun: () => beginning !== null,
  };
}

/** The address for git: the provider's, regardless of the receipt. */
function addressOf(id: string, receipt: Receipt, known: Repository | null): RepositoryAddress {
  if (known === null) return { ...addressOfReceipt(receipt), id };
  return { id, cloneUrl: known.cloneUrl, ...(known.uid === undefined ? {} : { uid: known.uid }) };
}

/** The wrong fields of a receipt, each as `name: actual instead of expected`. */
function wrongFields(receipt: Receipt, truth: Partial<Receipt>): string[] {
  return Object.entries(truth).flatMap(([name, value]) => {
    const held = receipt[name as keyof Receipt];
    return held === value ? [] : [`${name}: ${JSON.stringify(held)} instead of ${JSON.stringify(value)}`];
  });
}
