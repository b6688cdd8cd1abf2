import { basename } from 'node:path';
import { inject } from 'vitest';
import { FLEET_PACKAGES, type FleetPackage } from '../../examples/fleet-packages.ts';
import { makeFleet } from '../../examples/fleet.ts';
import { gitAsync } from './scratch-git.ts';

/** A year of each package of the demo fleet in two commits, its first and its last version. */
const PACKAGES: readonly FleetPackage[] = FLEET_PACKAGES.map((pkg) => {
  const [first = ''] = pkg.versions;
  // its rewrite changed nearly everything
  const early = pkg.name === 'execa' ? '8.0.1' : first;
  return { ...pkg, path: `published/${basename(pkg.path)}`, versions: [early, pkg.versions.at(-1) ?? ''], early };
});

/** Names of the repositories that {@link makePublishedFleet} makes: fifteen of the organization `published`. */
export const PUBLISHED = PACKAGES.map(({ path }) => path).toSorted();

/**
 * Makes bare repositories of published npm packages below `root`, `main` at the first of two versions; what is fetched
 * is kept in the user's cache. `advanceFleet({ root, packages })` of the demo fleet moves them on.
 */
export async function makePublishedFleet(root: string): Promise<readonly FleetPackage[]> {
  await makeFleet({ root, cacheDir: inject('stack').cacheDir, packages: PACKAGES });
  return PACKAGES;
}

/** Number of changed files between the two versions of a repository, as git counts: a moved file is one. */
export async function changedFiles(gitDir: string, { early, versions }: FleetPackage): Promise<number> {
  const to = `v${versions.at(-1)}`;
  const printed = await gitAsync(gitDir, 'diff-tree', '-r', '-M100%', '--name-only', `v${early}`, to);
  return printed.split('\n').filter(Boolean).length;
}
