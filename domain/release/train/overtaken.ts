import { gt, valid } from 'semver';
import { standing, type StandingDeployment } from '../deployment/standing.ts';

/** What an environment has of a release that a train is to deploy. */
export interface TrainArrival {
  /** True when the environment has it. */
  readonly isThere: boolean;
  /** Why the train does not deploy it any more, a sentence; null when it does. */
  readonly overtaken: string | null;
}

/**
 * What an environment has of a release, after all deployments to it that stayed, in their order. A release from which
 * people went back is not deployed again by a train, and none is deployed over a later one: both are decisions of people.
 */
export function arrivalOf(
  all: readonly StandingDeployment[],
  { version, environment }: { readonly version: string; readonly environment: string },
): TrainArrival {
  const present = standing(all);
  if (present.some((each) => each.version === version)) return { isThere: true, overtaken: null };
  if (all.some((each) => each.version === version)) {
    const back = all.findLast(({ goesBack }) => goesBack)?.version;
    const again = `longhaul deploy ${version} --env ${environment}`;
    return { isThere: false, overtaken: `${environment} had ${version}, and went back to ${back}: ${again}` };
  }
  // commits that are not released have no version to compare
  const later = present.findLast((each) => valid(each.version) !== null && gt(each.version, version));
  if (later === undefined) return { isThere: false, overtaken: null };
  return { isThere: false, overtaken: `${environment} has ${later.version}, which is later than ${version}.` };
}
