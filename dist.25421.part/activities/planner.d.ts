import { type FleetPlan } from '../domain/catalog/plan.ts';
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
export declare function createPlanner({ mgit, store, digest, providers }: PlannerTools): Planner;
/** Where the repository of a receipt is fetched from. */
export declare function addressOfReceipt({ repository, cloneUrl }: Receipt): RepositoryAddress;
