import { type Collection, Filters, type FilterValue } from 'weaviate-client';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import { refOfBranch } from '../../domain/git/branch.ts';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { ChunkProperties } from './store/schema.ts';
import type { IndexStore } from './store/store.ts';

type Chunks = Collection<ChunkProperties>;

/** What is searched: HEAD of every repository, or the requested branch. */
export interface View {
  readonly branch: string | undefined;
  readonly repositories: readonly string[] | undefined;
}

/** Whether an index had branches, and when that was read. */
const branchiness = new WeakMap<IndexStore, { readonly isBranchy: boolean; readonly at: number }>();
/** How long the answer is reused, in milliseconds. */
const BRANCHINESS_COUNTS_MS = 1_000;

/**
 * Searches a view: `look` gets the filter, null for the whole index. Whether there are branches is read concurrently,
 * so that it takes no extra time: the previous answer is used until the new one differs.
 */
export async function searchView<Result>(
  store: IndexStore,
  chunks: Chunks,
  view: View,
  look: (filter: FilterValue | null) => Promise<Result>,
): Promise<Result> {
  if (view.branch !== undefined) return look(await branchFilter(store, chunks, { ...view, branch: view.branch }));
  const lookAt = (isBranchy: boolean): Promise<Result> => look(isBranchy ? isAt(chunks, DEFAULT_REF) : null);
  const known = branchiness.get(store) ?? { isBranchy: false, at: Number.NEGATIVE_INFINITY };
  const now = performance.now();
  if (now - known.at < BRANCHINESS_COUNTS_MS) return lookAt(known.isBranchy);
  const [isBranchy, result] = await Promise.all([store.hasBranches(), lookAt(known.isBranchy)]);
  branchiness.set(store, { isBranchy, at: now });
  return isBranchy === known.isBranchy ? result : lookAt(isBranchy);
}

function isAt({ filter }: Chunks, ref: string): FilterValue {
  return filter.byProperty('refs').containsAny([ref]);
}

/** Matches everything of a branch, where it is HEAD and where it is indexed in addition. */
async function branchFilter(
  store: IndexStore,
  chunks: Chunks,
  { branch, repositories }: View & { readonly branch: string },
): Promise<FilterValue> {
  const ref = refOfBranch(branch);
  const receipts = (await store.receipts()).filter(
    ({ repository, commit }) => commit !== '' && repositories?.includes(repository) !== false,
  );
  const isExtraBranch = receipts.some((receipt) => receipt.ref === ref);
  const heads = headReceipts(receipts).filter((receipt) => receipt.branch === branch);
  const ofHeads = chunks.filter.byProperty('repo').containsAny(heads.map(({ repository }) => repository));
  const atHead = heads.length === 0 ? [] : [Filters.and(isAt(chunks, DEFAULT_REF), ofHeads)];
  const [first, ...others] = [...(isExtraBranch ? [isAt(chunks, ref)] : []), ...atHead];
  if (first !== undefined) return others.length === 0 ? first : Filters.or(first, ...others);
  throw new LonghaulError(
    'InvalidInput',
    `No repository is indexed at a branch ${JSON.stringify(branch)}: \`longhaul index list\` shows the indexed branches.`,
  );
}
