import { addressOf } from '../domain/catalog/flows.ts';
import { matchesAny, parsePattern } from '../domain/catalog/pattern.ts';
import { type FleetPlan, planOnboarding, planSync, STREAM_URL } from '../domain/catalog/plan.ts';
import type { Receipt } from '../domain/catalog/receipt.ts';
import type { RepositoryAddress } from '../domain/catalog/repository.ts';
import type { IndexStore } from './index/store.ts';
import type { Mgit } from './mgit/index.ts';

/** What a planner asks. */
export interface PlannerTools {
  readonly mgit: Mgit;
  readonly store: Pick<IndexStore, 'receipts'>;
  /** Digest of the chunker and model that the index is to be made with. */
  readonly digest: string;
  /** Names of the configured providers, which patterns may begin with. */
  readonly providers: readonly string[];
}

/** Finds out what a fleet flow has to do: the flows' activities and `--dry-run` alike. */
export interface Planner {
  /** What `mgit list` finds and the index does not hold completely. */
  onboarding(patterns: readonly string[], signal?: AbortSignal): Promise<FleetPlan>;
  /** Indexed repositories, all or those that match, whose HEAD moved. */
  sync(patterns: readonly string[] | null, signal?: AbortSignal): Promise<FleetPlan>;
  /** Indexed repositories that match. */
  removal(patterns: readonly string[] | null): Promise<FleetPlan>;
}

/** See {@link Planner}. */
export function createPlanner({ mgit, store, digest, providers }: PlannerTools): Planner {
  async function indexedMatching(patterns: readonly string[] | null): Promise<Receipt[]> {
    const parsed = patterns?.map((pattern) => parsePattern(pattern, providers)) ?? null;
    const receipts = await store.receipts();
    if (parsed === null) return receipts;
    return receipts.filter(({ repository }) => matchesAny(parsed, repository));
  }

  return {
    async onboarding(patterns, signal) {
      const found = await mgit.list(patterns, signal ? { signal } : {});
      const receipts = new Map((await store.receipts()).map((receipt) => [receipt.repository, receipt]));
      return planOnboarding(found.map(addressOf), receipts, digest);
    },
    async sync(patterns, signal) {
      const receipts = await indexedMatching(patterns);
      const fetched = receipts.map(addressOfReceipt).filter(({ cloneUrl }) => !cloneUrl.startsWith(STREAM_URL));
      const heads = await mgit.heads(fetched, signal ? { signal } : {});
      return planSync(receipts, heads, digest);
    },
    async removal(patterns) {
      const work = (await indexedMatching(patterns)).map(addressOfReceipt);
      return { matched: work.length, work, upToDate: [], failures: [] };
    },
  };
}

/** Where the repository of a receipt is fetched from. */
export function addressOfReceipt({ repository, cloneUrl }: Receipt): RepositoryAddress {
  return { id: repository, cloneUrl };
}
