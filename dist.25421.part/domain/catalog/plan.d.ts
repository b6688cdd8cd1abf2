import type { LonghaulError } from '../failures.ts';
import type { RepositoryFailure, RepositoryPage } from './flows.ts';
import type { Receipt } from './receipt.ts';
import type { RepositoryAddress } from './repository.ts';
/** What a fleet flow would do: who needs work, who does not, and who could not be asked. */
export interface FleetPlan {
    readonly matched: number;
    /** In order of their ids. */
    readonly work: readonly RepositoryAddress[];
    readonly upToDate: readonly string[];
    readonly failures: readonly RepositoryFailure[];
}
/** Where a repository's HEAD is. */
export interface Head {
    /** Commit oid; git's null oid for a repository without a commit. */
    readonly commit: string;
    readonly branch: string | null;
}
/** True when the index holds this repository completely, under the current chunker and model. */
export declare function isIndexed(receipt: Receipt | undefined, digest: string): boolean;
/** Initial onboarding: every repository that was found and is not completely indexed. */
export declare function planOnboarding(found: readonly RepositoryAddress[], receipts: ReadonlyMap<string, Receipt>, digest: string): FleetPlan;
/** Delta sync: every indexed repository whose HEAD is elsewhere than its receipt, or whose last run did not finish. */
export declare function planSync(receipts: readonly Receipt[], heads: ReadonlyMap<string, Head | LonghaulError>, digest: string): FleetPlan;
/** The part of a plan after the id `after` with at most `limit` repositories to work on. Pages never overlap. */
export declare function pageOf(plan: FleetPlan, after: string | null, limit: number): RepositoryPage;
