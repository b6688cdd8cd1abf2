import { VERSION_FORM } from '../contracts/version.ts';

/** A deployment that stayed, the facts that going back needs. */
export interface StandingDeployment {
  readonly version: string;
  /** True for one that went back to an earlier release. */
  readonly goesBack: boolean;
  /** The services that it deployed. */
  readonly services: readonly string[];
}

/**
 * The releases that an environment has, each built upon the one before it, the first one first: of all deployments that
 * stayed, in their order, those that no later one has gone back from. A release that was deployed twice in a row is one.
 */
export function standing<Deployment extends StandingDeployment>(all: readonly Deployment[]): readonly Deployment[] {
  const found: Deployment[] = [];
  for (const deployment of all) {
    const top = found.at(-1);
    if (deployment.goesBack) {
      const at = found.findLastIndex(({ version }) => version === deployment.version);
      found.splice(at + 1);
    } else if (top?.version === deployment.version) {
      found.splice(-1, 1, { ...deployment, services: [...new Set([...top.services, ...deployment.services])] });
    } else {
      found.push(deployment);
    }
  }
  return found;
}

/**
 * The release to which an environment goes back: the last one below its present one that has another version. Commits that
 * a run of a pipeline has left there are passed over, because only a release can be deployed. Null when there is none.
 */
export function releaseBefore(releases: readonly StandingDeployment[]): string | null {
  const present = releases.at(-1)?.version;
  const isBefore = ({ version }: StandingDeployment): boolean => version !== present && VERSION_FORM.test(version);
  return releases.findLast(isBefore)?.version ?? null;
}
