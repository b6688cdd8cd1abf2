import { type FleetProgress, type FleetResult, type RepositoryFailure, type RepositoryOutcome, type RepositoryPage } from '../../domain/catalog/flows.ts';
import { type RepositoryAddress } from '../../domain/catalog/repository.ts';
/** Repositories a page: few enough that one run's history stays far below Temporal's limits, many enough to be rare. */
export declare const PAGE_SIZE = 500;
/** Everything that a fleet flow carries from one run to the next. Plain JSON. */
export interface FleetState {
    /** Where the next page starts; null for the first. */
    readonly after: string | null;
    readonly startedAt: number;
    readonly progress: FleetProgress;
}
/** The state of a flow that has done nothing yet. */
export declare function newFleet(now: number): FleetState;
/** Keeps the progress of a fleet flow, shows it in the UI, and answers the query `progress`. */
export declare class FleetTracker {
    private state;
    constructor(state: FleetProgress);
    get progress(): FleetProgress;
    update(change: Partial<FleetProgress>): void;
    started(id: string): void;
    finished(id: string, change: Partial<FleetProgress>): void;
    succeeded(id: string, outcome: RepositoryOutcome): void;
    failed(failures: readonly RepositoryFailure[]): void;
}
/** How a fleet flow does its work. */
export interface FleetWork {
    readonly parallel: number;
    /** The next page of repositories that need work. */
    readonly page: (after: string | null) => Promise<RepositoryPage>;
    /** Called once, when it is known how many repositories need work; false ends the flow as declined. */
    readonly proceed: (total: number) => Promise<boolean>;
    /** The child workflow that works on one repository. */
    readonly child: {
        readonly type: string;
        readonly input: (repository: RepositoryAddress) => unknown;
    };
    /** The input of the next run, made from the state that it starts with. */
    readonly nextInput: (state: FleetState) => unknown;
}
/**
 * Works through all repositories that need work, page by page, a child workflow each, in bounded lanes; one that fails
 * is recorded and never stops the others. Continues as new between pages.
 */
export declare function workThroughFleet(state: FleetState, tracker: FleetTracker, work: FleetWork): Promise<FleetResult>;
/** When the first run of this chain began, milliseconds since the epoch. */
export declare function runStart(): number;
