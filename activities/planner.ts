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
  /** Of the repositories that another build has (`wanted`, its receipts), those that this one lacks or has elsewhere than HEAD. */
  filling(wanted: readonly Receipt[], signal?: AbortSignal): Promise<FleetPlan>;
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

  async function planFor(receipts: readonly Receipt[], signal: AbortSignal | undefined): Promise<FleetPlan> {
    const fetched = receipts.filter((receipt) => !isStream(receipt)).map(addressOfReceipt);
    const heads = await mgit.heads(fetched, signal ? { signal } : {});
    return planSync(receipts, heads, digest);
  }

  return {
    async onboarding(patterns, signal) {
      const found = await mgit.list(patterns, signal ? { signal } : {});
      const receipts = new Map((await store.receipts()).map((receipt) => [receipt.repository, receipt]));
      return planOnboarding(found.map(addressOf), receipts, digest);
    },
    async sync(patterns, signal) {
      return planFor(await indexedMatching(patterns), signal);
    },
    async filling(wanted, signal) {
      const present = new Map((await store.receipts()).map((receipt) => [receipt.repository, receipt]));
      const plan = await planFor(
        // another build's receipt vouches for nothing here
        wanted.filter((receipt) => !isStream(receipt)).map((receipt) => present.get(receipt.repository) ?? receipt),
        signal,
      );
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
  };
}

/** Where the repository of a receipt is fetched from. */
export function addressOfReceipt({ repository, cloneUrl }: Receipt): RepositoryAddress {
  return { id: repository, cloneUrl };
}

/** True when nobody but its producer knows where a repository is. */
function isStream({ cloneUrl }: Receipt): boolean {
  return cloneUrl.startsWith(STREAM_URL);
}
