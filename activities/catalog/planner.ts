import { branchNames, headReceipts } from '../../domain/catalog/index/refs.ts';
import { addressOf, type CatalogPlan, type PlannedRepository } from '../../domain/catalog/flows/fleet.ts';
import type { RepositoryFailure } from '../../domain/fleet/failure.ts';
import { matcherAmong, parsePattern } from '../../domain/git/pattern.ts';
import {
  addressOfReceipt,
  type Holdings,
  joinPlans,
  type Moves,
  movesOf,
  planOnboarding,
  planSync,
  planVerification,
  possibleMoves,
  possiblyRenamed,
  STREAM_URL,
} from '../../domain/catalog/index/plan.ts';
import { type Holding, NO_OBJECTS, type Receipt, xorIds } from '../../domain/catalog/index/receipt.ts';
import { isRepositoryId, NO_REPOSITORY, providerOf, type Repository } from '../../domain/git/repository.ts';
import type { SyncGroup } from '../../domain/catalog/groups/sync-groups.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { IndexStore } from '../index/store/store.ts';
import type { ListedRepository, Mgit } from '../mgit/index.ts';

/** Dependencies of a planner. */
export interface PlannerTools {
  readonly mgit: Mgit;
  readonly store: Pick<IndexStore, 'receipts' | 'everything'>;
  /** Digest of the chunker and model of the index. */
  readonly digest: string;
  /** Names of the configured providers, which patterns may begin with. */
  readonly providers: readonly string[];
}

/** Plans the work of a fleet flow, for the flows' activities and for `--dry-run`. */
export interface Planner {
  /** Repositories that `mgit list` finds and that are not completely indexed. */
  onboarding(patterns: readonly string[], signal?: AbortSignal): Promise<CatalogPlan>;
  /**
   * The repositories of a sync group: those not completely indexed, and indexed ones with a moved ref or a missing
   * branch. A provider that cannot be listed is a failure, and its indexed repositories are synced anyway.
   */
  group(
    group: Pick<SyncGroup, 'patterns' | 'exclude' | 'branches'>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<CatalogPlan>;
  /** Matching indexed repositories with a moved ref. `null` matches all. */
  sync(patterns: readonly string[] | null, signal?: AbortSignal): Promise<CatalogPlan>;
  /** Repositories of another build, by its receipts, that are missing here or have an older position of a ref. */
  filling(source: readonly Receipt[], signal?: AbortSignal): Promise<CatalogPlan>;
  /** Indexed repositories that match; with `branch` those with this branch in addition to HEAD. */
  removal(patterns: readonly string[] | null, branch?: string): Promise<CatalogPlan>;
  /**
   * Repositories to compare object by object: with `full` all that match; otherwise those whose receipt differs from
   * the objects, counted in one pass over Weaviate, or from the providers. Includes ids that have objects but no
   * receipt.
   */
  verification(
    patterns: readonly string[] | null,
    options: { readonly full: boolean; readonly signal?: AbortSignal },
  ): Promise<CatalogPlan>;
}

/** Options of a request for heads. */
interface HeadsRequest {
  /** Branches in addition to the indexed ones. */
  readonly branches?: readonly string[];
  /** Heads that a listing included. */
  readonly listed?: readonly ListedRepository[];
}

/** See {@link Planner}. */
export function createPlanner({ mgit, store, digest, providers }: PlannerTools): Planner {
  /** A function that matches ids against patterns, among all these ids; without patterns it matches all. */
  function matcher(patterns: readonly string[] | null, ids: Iterable<string>): (id: string) => boolean {
    if (patterns === null) return () => true;
    return matcherAmong(
      patterns.map((pattern) => parsePattern(pattern, providers)),
      ids,
    );
  }

  async function indexedMatching(patterns: readonly string[] | null): Promise<Receipt[]> {
    const receipts = await store.receipts();
    const matches = matcher(
      patterns,
      receipts.map(({ repository }) => repository),
    );
    return receipts.filter(({ repository }) => matches(repository));
  }

  /** Repositories that have another id now, according to their providers. */
  async function movesAmong(receipts: readonly Receipt[], signal: AbortSignal | undefined): Promise<Moves> {
    if (receipts.length === 0) return new Map();
    return movesOf(await mgit.whereabouts(receipts.map(addressOfReceipt), signal ? { signal } : {}));
  }

  /** HEADs and branches: the indexed and the requested ones. */
  function headsOf(
    receipts: readonly Receipt[],
    { branches: requested = [], listed = [] }: HeadsRequest,
    signal: AbortSignal | undefined,
  ): ReturnType<Mgit['heads']> {
    const fetched = headReceipts(receipts).filter((receipt) => !isStream(receipt));
    const questions = fetched.map((receipt) => {
      const branches = [...requested, ...branchNames(receipt)];
      return { ...addressOfReceipt(receipt), ...(branches.length === 0 ? {} : { branches }) };
    });
    return mgit.heads(questions, { listed, ...(signal ? { signal } : {}) });
  }

  /** Those of the found repositories that are not completely indexed. */
  async function onboardingOf(found: readonly Repository[], signal: AbortSignal | undefined): Promise<CatalogPlan> {
    const receipts = await store.receipts();
    const addresses = found.map(addressOf);
    const moves = await movesAmong(possibleMoves(addresses, receipts), signal);
    const indexed = byId(receipts);
    return withBranches(planOnboarding(addresses, indexed, digest, moves), indexed, ({ formerly = [] }) => formerly);
  }

  async function syncOf(
    receipts: readonly Receipt[],
    request: HeadsRequest,
    signal: AbortSignal | undefined,
  ): Promise<CatalogPlan> {
    const heads = await headsOf(receipts, request, signal);
    const plan = planSync(receipts, heads, digest, await movesAmong(possiblyRenamed(receipts, heads), signal));
    return withBranches(plan, byId(receipts), ({ formerly = [] }) => formerly);
  }

  return {
    async onboarding(patterns, signal) {
      return onboardingOf(await mgit.list(patterns, signal ? { signal } : {}), signal);
    },
    async group({ patterns, exclude, branches }, { signal } = {}) {
      const found = await mgit.listWithHeads(patterns, signal ? { signal } : {}).catch(unlessUnlisted);
      const listed = found instanceof LonghaulError ? [] : found;
      const matching = await indexedMatching(patterns);
      const isExcluded = matcher(exclude, [
        ...listed.map(({ id }) => id),
        ...matching.map(({ repository }) => repository),
      ]);
      const members = listed.filter(({ id }) => !isExcluded(id));
      const indexed = matching.filter(({ repository }) => !isExcluded(repository));
      const plans = [await onboardingOf(members, signal), await syncOf(indexed, { branches, listed: members }, signal)];
      return joinPlans(
        found instanceof LonghaulError ? [...plans, unlistedPlan(`mgit list ${patterns.join(', ')}`, found)] : plans,
      );
    },
    async sync(patterns, signal) {
      return syncOf(await indexedMatching(patterns), {}, signal);
    },
    async filling(source, signal) {
      const present = Map.groupBy(await store.receipts(), ({ repository }) => repository);
      const repositories = headReceipts(source);
      const receipts = repositories
        .filter((receipt) => !isStream(receipt))
        // the receipt of another build does not count here
        .flatMap((receipt) => present.get(receipt.repository) ?? [receipt]);
      // the branches are those of the other build
      const heads = await headsOf(repositories, {}, signal);
      const plan = withBranches(planSync(receipts, heads, digest), byId(source), ({ id }) => [id]);
      const failures = repositories.filter(isStream).map(({ repository }) => ({
        repository,
        type: 'InvalidInput' as const,
        error: `${repository} came as a change stream: after the switch, ingest a full stream of it again.`,
      }));
      return { ...plan, matched: repositories.length, failures: [...plan.failures, ...failures] };
    },
    async removal(patterns, branch) {
      const indexed = headReceipts(await indexedMatching(patterns));
      const work = indexed
        .filter((receipt) => branch === undefined || branchNames(receipt).includes(branch))
        .map(addressOfReceipt);
      return { matched: work.length, work, upToDate: [], failures: [] };
    },
    async verification(patterns, { full, signal }) {
      // receipts are read last: a receipt is written before its first objects can be read
      const held = await holdings(store, signal);
      const all = await store.receipts();
      const matches = matcher(patterns, [...all.map(({ repository }) => repository), ...held.keys()]);
      const receipts = all.filter(({ repository }) => matches(repository));
      const withReceipt = new Set(all.map(({ repository }) => repository));
      const withObjects = [...held.keys()].map((id) => (isRepositoryId(id) ? id : NO_REPOSITORY));
      const withoutReceipt = [...new Set(withObjects)].filter((id) => !withReceipt.has(id) && matches(id));
      const fetched = headReceipts(receipts)
        .map(addressOfReceipt)
        .filter(({ cloneUrl }) => !cloneUrl.startsWith(STREAM_URL));
      const where = await mgit.whereabouts(fetched, signal ? { signal } : {});
      const plan = planVerification(receipts, withoutReceipt, { held, where, digest, full });
      return { ...plan, failures: providerFailures(where) };
    },
  };
}

/** The number of objects and the XOR of their ids for each ref of each repository, in one pass. */
async function holdings(store: Pick<IndexStore, 'everything'>, signal?: AbortSignal): Promise<Holdings> {
  const held = new Map<string, Map<string, Holding>>();
  for await (const page of store.everything()) {
    signal?.throwIfAborted();
    for (const { id, repository, refs } of page) {
      const ofRepository = held.get(repository) ?? new Map<string, Holding>();
      held.set(repository, ofRepository);
      for (const ref of refs.length === 0 ? [NO_REF] : refs) {
        const { objects, xor } = ofRepository.get(ref) ?? { objects: 0, xor: NO_OBJECTS };
        ofRepository.set(ref, { objects: objects + 1, xor: xorIds(xor, id) });
      }
    }
  }
  return held;
}

/** Stands for the ref of an object without refs. */
const NO_REF = '(no ref)';

/** Receipts of HEAD by repository id. */
function byId(receipts: readonly Receipt[]): ReadonlyMap<string, Receipt> {
  return new Map(headReceipts(receipts).map((receipt) => [receipt.repository, receipt]));
}

/** The plan with the branches added that are indexed under the ids that `source` returns. */
function withBranches(
  plan: CatalogPlan,
  receipts: ReadonlyMap<string, Receipt>,
  source: (repository: PlannedRepository) => readonly string[],
): CatalogPlan {
  const work = plan.work.map((repository) => {
    const branches = [...new Set(source(repository).flatMap((id) => branchNames(receipts.get(id))))];
    return branches.length === 0 ? repository : { ...repository, branches };
  });
  return { ...plan, work };
}

/** A failed provider does not stop a group; a wait does. */
function unlessUnlisted(error: unknown): LonghaulError {
  if (error instanceof LonghaulError && ['AuthenticationFailed', 'DiscoveryFailed'].includes(error.type)) return error;
  throw error;
}

function unlistedPlan(repository: string, { type, message }: LonghaulError): CatalogPlan {
  return { matched: 0, work: [], upToDate: [], failures: [{ repository, type, error: message }] };
}

/** One failure per provider that does not answer, instead of one per repository. */
function providerFailures(where: ReadonlyMap<string, unknown>): RepositoryFailure[] {
  const failures = new Map<string, RepositoryFailure>();
  for (const [id, answer] of where) {
    const repository = providerOf(id);
    if (answer instanceof LonghaulError)
      failures.set(repository, { repository, type: answer.type, error: answer.message });
  }
  return [...failures.values()];
}

/** True for a repository that was ingested as a stream and cannot be fetched. */
function isStream({ cloneUrl }: Receipt): boolean {
  return cloneUrl.startsWith(STREAM_URL);
}
