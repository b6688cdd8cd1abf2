import { lt, rcompare, valid } from 'semver';
import type { ReleasedCommit } from './deployment.ts';
import type { StandingDeployment } from './standing.ts';

/** A release that an environment has. */
export type StandingRelease = StandingDeployment & Pick<ReleasedCommit, 'commit'>;

/**
 * The commit after which the changes begin that a deployment brings to an environment: that of the last other release which
 * the environment has with all these services, as far as it has them at all. Of an environment that has none, the promoted
 * release before. Null when there is neither: then all commits are changes.
 */
export function changesBegin(
  standing: readonly StandingRelease[],
  promoted: readonly ReleasedCommit[],
  { version, services }: { readonly version: string; readonly services: readonly string[] },
): string | null {
  const others = standing.filter((each) => each.version !== version);
  const known = services.filter((service) => others.some((each) => each.services.includes(service)));
  const had = others.findLast((each) => known.every((service) => each.services.includes(service)));
  if (had !== undefined && known.length > 0) return had.commit;
  // a commit that is not released has no version to compare
  const before = promoted.filter((each) => valid(version) === null || lt(each.version, version));
  return before.toSorted((one, other) => rcompare(one.version, other.version))[0]?.commit ?? null;
}
