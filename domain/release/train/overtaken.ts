import { standing, type StandingDeployment } from '../deployment/standing.ts';

/** What an environment has of a release that a train is to deploy. */
export interface TrainArrival {
  /** True when the environment has it. */
  readonly isThere: boolean;
  /** Why the train does not deploy it any more, a sentence; null when it does. */
  readonly overtaken: string | null;
}

/**
 * What an environment has of a release, after all deployments to it that stayed, in their order. A release that was there
 * and from which people went back is not deployed again by a train: deploying it anyway is a decision of people.
 */
export function arrivalOf(
  all: readonly StandingDeployment[],
  { version, environment }: { readonly version: string; readonly environment: string },
): TrainArrival {
  const present = standing(all);
  if (present.some((each) => each.version === version)) return { isThere: true, overtaken: null };
  const again = `longhaul deploy ${version} --env ${environment}`;
  if (all.some((each) => each.version === version)) {
    const back = all.findLast(({ goesBack }) => goesBack)?.version;
    return { isThere: false, overtaken: `${environment} had ${version}, and went back to ${back}: ${again}` };
  }
  return { isThere: false, overtaken: null };
}
