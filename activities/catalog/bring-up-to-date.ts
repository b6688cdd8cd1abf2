import { randomUUID } from 'node:crypto';
import { branchOfRef, inRefOrder, matchesBranch, MOST_BRANCHES } from '../../domain/git/branch.ts';
import { branchNames, refsOfRepository } from '../../domain/catalog/index/refs.ts';
import type { FullReason } from '../../domain/git/change.ts';
import { isBeingRemoved, isIndexed } from '../../domain/catalog/index/plan.ts';
import type { Head } from '../../domain/git/head.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { DEFAULT_REF, type Snapshot } from '../../domain/git/snapshot.ts';
import type { RepositoryAddress } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type ChangeSource, ingest, type IngestResult, type IngestTools } from '../index/ingest.ts';
import { headOf, type IndexedRef } from '../index/store/refs.ts';
import type { IndexStore } from '../index/store/store.ts';
import type { Goal, Mgit } from '../mgit/index.ts';
import { listBranches, takeOutBranch } from './removal.ts';

/** Dependencies for syncing repositories of one build. */
export interface BuildTools extends IngestTools {
  /** {@link Build.digest} */
  readonly digest: string;
  readonly mgit: Mgit;
}

/** The result of one step towards the current position of a ref. */
export type SyncStep = IngestResult & Pick<ChangeSource, 'full'>;

type RunOptions = Pick<Parameters<typeof ingest>[4], 'signal' | 'onProgress'>;

/**
 * Syncs every indexed ref of a repository with its current position, and adds the branches in `asked` (names or
 * patterns): first HEAD, then branches that are gone upstream or must be removed, then the other branches by name. The
 * branch that HEAD points to is not indexed a second time. `before` is the receipt of HEAD. Throws `InvalidInput` when
 * there are too many branches, after all others are up to date.
 */
export async function bringUpToDate(
  tools: BuildTools,
  repository: RepositoryAddress,
  before: Receipt | null,
  asked: readonly string[],
  options: RunOptions,
): Promise<SyncStep[]> {
  const { store, mgit } = tools;
  const listed = before?.branches ?? [];
  if (listed.length === 0 && asked.length === 0) {
    return bringRefUpToDate(tools, repository, before, { of: headOf(before) }, options);
  }
  const now = await seenHead(mgit, repository, [...asked, ...branchNames(before)], options.signal);
  const found = now.branches ?? new Map<string, string>();
  const remaining = (await takeOver(store, repository.id, listed)).filter((ref) => found.has(ref));
  const matching = [...found.keys()].filter(
    (ref) => remaining.includes(ref) || matchesBranch(asked, branchOfRef(ref) ?? ''),
  );
  const isTooMany = matching.length > MOST_BRANCHES;
  const followed = inRefOrder(isTooMany ? remaining : matching);
  const tips = new Map([[DEFAULT_REF, now.commit], ...followed.map((ref) => [ref, found.get(ref) ?? ''] as const)]);

  const runs = await bringRefUpToDate(tools, repository, before, { of: headOf(before), at: now, tips }, options);
  let head = runs.at(-1)?.receipt ?? null;
  if (head === null) return runs;
  for (const ref of listed.filter((one) => !remaining.includes(one))) {
    const gone = await takeOutBranch(store, head, ref, options.signal);
    head = gone.head;
    runs.push({
      ...NOTHING_DONE,
      receipt: head,
      full: null,
      objectsDeleted: gone.deleted,
      objectsWritten: gone.rewritten,
    });
  }
  head = await listBranches(store, head, followed);
  for (const ref of followed) {
    const at = { commit: found.get(ref) ?? '', branch: branchOfRef(ref) };
    const previous = await store.readReceipt(repository.id, ref);
    const of = { ref, refs: refsOfRepository(head) };
    runs.push(...(await bringRefUpToDate(tools, repository, previous, { of, at, tips }, options)));
  }
  if (isTooMany) {
    throw new LonghaulError(
      'InvalidInput',
      `${repository.id} has ${matching.length} branches that match ${asked.join(', ')}, and at most ${MOST_BRANCHES} are indexed ` +
        'in addition to HEAD: name fewer of them in `branches` of the sync group.',
    );
  }
  return runs;
}

/** The current HEAD and branches. Throws mgit's failure of the repository. */
export async function seenHead(
  mgit: Mgit,
  repository: RepositoryAddress,
  branches: readonly string[],
  signal: AbortSignal,
): Promise<Head> {
  const head = (await mgit.heads([{ ...repository, branches }], { signal })).get(repository.id);
  if (head instanceof Error) throw head;
  if (head === undefined) throw new LonghaulError('GitFailed', `mgit did not report HEAD of ${repository.id}.`);
  return head;
}

/**
 * Takes over those branches whose receipt exists and is not being removed. A suspended run that resumes while this one
 * works on another ref must not write: the refs of an object are read before they are written.
 */
async function takeOver(store: IndexStore, repository: string, branches: readonly string[]): Promise<string[]> {
  const remaining: string[] = [];
  for (const ref of branches) {
    const receipt = await store.readReceipt(repository, ref);
    if (receipt === null || isBeingRemoved(receipt)) continue;
    remaining.push(ref);
    if (receipt.pending === null) continue;
    await store.writeReceipt({ ...receipt, pending: { ...receipt.pending, run: randomUUID() } });
  }
  return remaining;
}

/** The ref to sync, and the observed positions of it and the others; by default HEAD, whose position is requested. */
export interface RefGoal {
  readonly of: IndexedRef;
  /** The observed position of the ref. @default its current position, which is requested */
  readonly at?: Goal;
  /** Commits of all indexed refs, fetched together. @default this ref alone */
  readonly tips?: ReadonlyMap<string, string>;
}

/**
 * Finishes what an earlier run left unfinished, exactly to that run's target; then continues to the ref's current
 * position. If Weaviate does not hold what git has, everything is read once more and compared.
 */
async function bringRefUpToDate(
  tools: BuildTools,
  repository: RepositoryAddress,
  previous: Receipt | null,
  goal: RefGoal,
  options: RunOptions,
): Promise<SyncStep[]> {
  const runs: SyncStep[] = [];
  let receipt = previous;
  try {
    if (receipt?.pending) {
      const run = await indexDifference(tools, repository, receipt, goal, { target: receipt.pending }, options);
      runs.push(run);
      receipt = run.receipt;
    }
    runs.push(await indexDifference(tools, repository, receipt, goal, {}, options));
    return runs;
  } catch (error) {
    throwUnlessIncomplete(error);
  }
  const repair = (): Promise<SyncStep> =>
    indexDifference(tools, repository, receipt, goal, { full: 'interrupted-run' }, options);
  try {
    runs.push(await repair());
  } catch (error) {
    throwUnlessIncomplete(error);
    // the objects that Weaviate could not find are deleted now, and are written as new ones
    runs.push(await repair());
  }
  return runs;
}

function throwUnlessIncomplete(error: unknown): void {
  if (!(error instanceof LonghaulError) || error.type !== 'IndexIncomplete') throw error;
}

/** Ingests mgit's differential since the receipt. Writes nothing when nothing changed. */
async function indexDifference(
  tools: BuildTools,
  repository: RepositoryAddress,
  receipt: Receipt | null,
  { of, ...goal }: RefGoal,
  question: { readonly target?: Snapshot; readonly full?: FullReason },
  options: RunOptions,
): Promise<SyncStep> {
  // a stream whose producer named no tree cannot be compared with git
  const since = receipt !== null && receipt.commit !== '' && receipt.tree !== '' ? receipt : null;
  const delta = await tools.mgit.diff(repository, since, { ...question, ...goal, signal: options.signal });
  const { full } = delta;
  const isSame =
    receipt !== null && isSameSnapshot(delta.to, receipt) && (repository.uid ?? receipt.uid) === receipt.uid;
  if (isSame && isIndexed(receipt, tools.digest) && full === null) {
    return { ...NOTHING_DONE, receipt, full };
  }
  const source: ChangeSource = {
    to: delta.to,
    full,
    changes: () => delta.changes(),
    readOld: (files) => delta.readOld(files),
  };
  return { ...(await ingest(tools, repository, source, receipt, { ...options, of })), full };
}

const NOTHING_DONE: Omit<IngestResult, 'receipt'> = {
  files: 0,
  filesChanged: 0,
  objectsWritten: 0,
  objectsDeleted: 0,
  embedded: 0,
  embeddingsReused: 0,
  skipped: {},
};

function isSameSnapshot(a: Snapshot, b: Snapshot): boolean {
  return a.commit === b.commit && a.tree === b.tree && a.branch === b.branch;
}
