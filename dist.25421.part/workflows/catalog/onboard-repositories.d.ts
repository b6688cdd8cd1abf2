import type { FleetResult, OnboardInput } from '../../domain/catalog/flows.ts';
import { type FleetState } from './fleet.ts';
/**
 * Initial onboarding by pattern (seed 000, workflows 1 and 6): `mgit list`, optionally a person's confirmation, then one
 * `syncRepository` child for each repository that is not indexed yet.
 */
export declare function onboardRepositories(input: OnboardInput & {
    continued?: FleetState;
}): Promise<FleetResult>;
