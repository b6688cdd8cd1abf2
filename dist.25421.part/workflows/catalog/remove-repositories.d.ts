import type { FleetResult, RemoveInput } from '../../domain/catalog/flows.ts';
import { type FleetState } from './fleet.ts';
/** Takes the indexed repositories that match out of the index; the repositories themselves are not touched. */
export declare function removeRepositories(input: RemoveInput & {
    continued?: FleetState;
}): Promise<FleetResult>;
