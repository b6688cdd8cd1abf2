import type { FleetResult, SyncRepositoriesInput } from '../../domain/catalog/flows.ts';
import { type FleetState } from './fleet.ts';
/**
 * Delta sync of what is indexed (seed 000, workflows 2 and 8): where each HEAD is, is asked in batches, and a child is
 * started only for a repository that changed.
 */
export declare function syncRepositories(input: SyncRepositoriesInput & {
    continued?: FleetState;
}): Promise<FleetResult>;
