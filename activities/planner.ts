import { addressOf } from '../domain/catalog/flows.ts';
import type { RepositoryFailure } from '../domain/catalog/flows.ts';
import { matchesAny, parsePattern } from '../domain/catalog/pattern.ts';
import {
  addressOfReceipt,
  type FleetPlan,
  joinPlans,
  type Moves,
  movesOf,
  planOnboarding,
  planSync,
  planVerification,
  possibleMoves,
  possiblyRenamed,
  STREAM_URL,
} from '../domain/catalog/plan.ts';
import { type Holding, NO_OBJECTS, type Receipt, xorIds } from '../domain/catalog/receipt.ts';
import { isRepositoryId, NO_REPOSITORY, providerOf, type Repository } from '../domain/catalog/repository.ts';
import { LonghaulError } from '../domain/failures.ts';
import type { IndexStore } from './index/store.ts';
import type { ListedRepository, Mgit } from './mgit/index.ts';

/** What a planner asks. */
export interface PlannerTools {
  readonly mgit: Mgit;
  readonly store: Pick<IndexStore, 'receipts' | 'everything'>;
  /** Digest of the chunker and model that the index is to be made with. */
  readonly digest: string;
  /** Names of the configured providers, which patterns may begin with. */
  readonly providers: readonly string[];
}

/** Finds out what a fleet flow has to do: the flows' activities and `--dry-run` alike. */
export interface Planner {
  /** What `mgit list` finds and the index does not hold completely. */
  onboarding(patterns: readonly string[], signal?: AbortSignal): Promise<FleetPlan>;
  /**
   * What belongs to a sync group: repositories that are not completely indexed, and indexed ones whose HEAD moved. A provider
   * that cannot be listed is a failure, and what is indexed of it is brought up to date all the same.
   */
  group(patterns: readonly string[], exclude: readonly string[], signal?: AbortSignal): Promise<FleetPlan>;
  /** Indexed repositories, all or those that match, whose HEAD moved. */
  sync(patterns: readonly string[] | null, signal?: AbortSignal): Promise<FleetPlan>;
  /** Of the repositories that another build has (`wanted`, its receipts), those that this one lacks or has elsewhere than HEAD. */
  filling(wanted: readonly Receipt[], signal?: AbortSignal): Promise<FleetPlan>;
  /** Indexed repositories that match. */
  removal(patterns: readonly string[] | null): Promise<FleetPlan>;
  /**
   * Repositories that have to be compared object by object: with `full` all that match; without it those whose receipt is not
   * what one pass over Weaviate and the providers say. Also what no receipt vouches for.
   */
  verification(
    patterns: readonly string[] | null,
    options: { readonly full: boolean; readonly signal?: AbortSignal },
  ): Promise<FleetPlan>;
}

/** See {@link Planner}. */
export function createPlanner({ mgit, store, digest, providers }: PlannerTools): Planner {
  /** Tells whether patterns mean an id; all of them when there are none. */
  function matcher(patterns: readonly string[] | null): (id: string) => boolean {
    const parsed = patterns?.map((pattern) => parsePattern(pattern, providers)) ?? null;
    return (id) => parsed === null || matchesAny(parsed, id);
  }

  async function indexedMatching(patterns: readonly string[] | null): Promise<Receipt[]> {
    const matches = matcher(patterns);
    return (await store.receipts()).filter(({ repository }) => matches(repository));
  }

  /** Which of these repositories have another id now, as their providers say. */
  async function movesAmong(receipts: readonly Receipt[], signal: AbortSignal | undefined): Promise<Moves> {
    if (receipts.length === 0) return new Map();
    return movesOf(await mgit.whereabouts(receipts.map(addressOfReceipt), signal ? { signal } : {}));
  }

  function headsOf(
    receipts: readonly Receipt[],
    signal: AbortSignal | undefined,
    listed: readonly ListedRepository[] = [],
  ): ReturnType<Mgit['heads']> {
    const fetched = receipts.filter((receipt) => !isStream(receipt)).map(addressOfReceipt);
    return mgit.heads(fetched, { listed, ...(signal ? { signal } : {}) });
  }

  /** Of the repositories that were found, those that are not completely indexed. */
  async function onboardingOf(found: readonly Repository[], signal: AbortSignal | undefined): Promise<FleetPlan> {
    const receipts = await store.receipts();
    const addresses = found.map(addressOf);
    const moves = await movesAmong(possibleMoves(addresses, receipts), signal);
    const indexed = new Map(receipts.map((receipt) => [receipt.repository, receipt]));
    return planOnboarding(addresses, indexed, digest, moves);
  }

  async function syncOf(
    receipts: readonly Receipt[],
    signal: AbortSignal | undefined,
    listed: readonly ListedRepository[] = [],
  ): Promise<FleetPlan> {
    const heads = await headsOf(receipts, signal, listed);
    return planSync(receipts, heads, digest, await movesAmong(possiblyRenamed(receipts, heads), signal));
  }

  return {
    async onboarding(patterns, signal) {
      return onboardingOf(await mgit.list(patterns, signal ? { signal } : {}), signal);
    },
    async group(patterns, exclude, signal) {
      const isExcluded = exclude.length === 0 ? () => false : matcher(exclude);
      const found = await mgit.listWithHeads(patterns, signal ? { signal } : {}).catch(unlessUnlisted);
      const members = found instanceof LonghaulError ? [] : found.filter(({ id }) => !isExcluded(id));
      const indexed = (await indexedMatching(patterns)).filter(({ repository }) => !isExcluded(repository));
      const plans = [await onboardingOf(members, signal), await syncOf(indexed, signal, members)];
      return joinPlans(
        found instanceof LonghaulError ? [...plans, unlistedPlan(`mgit list ${patterns.join(', ')}`, found)] : plans,
      );
    },
    async sync(patterns, signal) {
      return syncOf(await indexedMatching(patterns), signal);
    },
    async filling(wanted, signal) {
      const present = new Map((await store.receipts()).map((receipt) => [receipt.repository, receipt]));
      const receipts = wanted
        .filter((receipt) => !isStream(receipt))
        // another build's receipt vouches for nothing here
        .map((receipt) => present.get(receipt.repository) ?? receipt);
      const plan = planSync(receipts, await headsOf(receipts, signal), digest);
      const failures = wanted.filter(isStream).map(({ repository }) => ({
        repository,
        type: 'InvalidInput' as const,
        error: `${repository} came as a change stream: after the switch, ingest a full stream of it again.`,
      }));
      return { ...plan, matched: wanted.length, failures: [...plan.failures, ...failures] };
    },
    async removal(patterns) {
      const work = (await indexedMatching(patterns)).map(addressOfReceipt);
      return { matched: work.length, work, upToDate: [], failures: [] };
    },
    async verification(patterns, { full, signal }) {
      // the receipts last: one whose first objects were seen has been written before them
      const held = await holdings(store, signal);
      const all = await store.receipts();
      const matches = matcher(patterns);
      const receipts = all.filter(({ repository }) => matches(repository));
      const vouched = new Set(all.map(({ repository }) => repository));
      const named = [...held.keys()].map((id) => (isRepositoryId(id) ? id : NO_REPOSITORY));
      const unvouched = [...new Set(named)].filter((id) => !vouched.has(id) && matches(id));
      const fetched = receipts.map(addressOfReceipt).filter(({ cloneUrl }) => !cloneUrl.startsWith(STREAM_URL));
      const where = await mgit.whereabouts(fetched, signal ? { signal } : {});
      const plan = planVerification(receipts, unvouched, { held, where, digest, full });
      return { ...plan, failures: providerFailures(where) };
    },
  };
}

/** Number and XOR of the ids that the index holds of each repository: one pass over all of it. */
async function holdings(store: Pick<IndexStore, 'everything'>, signal?: AbortSignal): Promise<Map<string, Holding>> {
  const held = new Map<string, Holding>();
  for await (const page of store.everything()) {
    signal?.throwIfAborted();
    for (const { id, repository } of page) {
      const { objects, xor } = held.get(repository) ?? { objects: 0, xor: NO_OBJECTS };
      held.set(repository, { objects: objects + 1, xor: xorIds(xor, id) });
    }
  }
  return held;
}

/** A provider that says no or nothing stops no group; one that asks to wait is waited for. */
function unlessUnlisted(error: unknown): LonghaulError {
  if (error instanceof LonghaulError && ['AuthenticationFailed', 'DiscoveryFailed'].includes(error.type)) return error;
  throw error;
}

function unlistedPlan(repository: string, { type, message }: LonghaulError): FleetPlan {
  return { matched: 0, work: [], upToDate: [], failures: [{ repository, type, error: message }] };
}

/** One failure for each provider that does not answer, not one for each of its repositories. */
function providerFailures(where: ReadonlyMap<string, unknown>): RepositoryFailure[] {
  const failures = new Map<string, RepositoryFailure>();
  for (const [id, answer] of where) {
    const repository = providerOf(id);
    if (answer instanceof LonghaulError)
      failures.set(repository, { repository, type: answer.type, error: answer.message });
  }
  return [...failures.values()];
}

/** True when nobody but its producer knows where a repository is. */
function isStream({ cloneUrl }: Receipt): boolean {
  return cloneUrl.startsWith(STREAM_URL);
}
