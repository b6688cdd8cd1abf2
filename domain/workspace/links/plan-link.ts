import type { Dependency, Ecosystem, PackageManifest } from '../package-manifest.ts';
import { versionFits } from '../version-fits.ts';
import type { FileLink, LinkKind, LinkMember } from './file-link.ts';
import { isLinkableName } from './file-link.schema.ts';

/** One of two repositories that are linked. */
export interface LinkedRepo {
  readonly name: string;
  /** Its folder, relative to the root. */
  readonly path: string;
  readonly packages: readonly PackageManifest[];
}

/** How two repositories are linked. */
export interface LinkedPackages {
  /** What each file in the root gets. */
  readonly inFiles: ReadonlyMap<LinkKind, FileLink>;
  /** True when a manifest of `from` takes a package of `to` from its folder by itself. */
  readonly isDeclared: boolean;
  /** Why they cannot be linked, one sentence each. */
  readonly problems: readonly string[];
}

/** What a go.mod asks for, by folder relative to the root; and whether pnpm installs the repository that depends. */
export interface LinkFacts {
  readonly goVersions: ReadonlyMap<string, string>;
  readonly usesPnpm: boolean;
}

/** The ecosystems whose links are in a file of the root. */
const IN_ROOT = ['npm', 'go', 'cargo', 'python'] as const satisfies readonly Ecosystem[];

/**
 * Which packages of `to` the packages of `from` take from their folder, in each ecosystem: those that they ask for, and what
 * these need of the same repository. Where the requirement excludes the version that is there, the tool would take another
 * one from its registry without a word: this is a problem, as is a dependency that does not come from a registry.
 */
export function planLink(from: LinkedRepo, to: LinkedRepo, { goVersions, usesPnpm }: LinkFacts): LinkedPackages {
  const inFiles = new Map<LinkKind, FileLink>();
  const problems: string[] = [];
  let isDeclared = false;
  for (const ecosystem of IN_ROOT) {
    const provided = new Map(packagesOf(to, ecosystem).flatMap((one) => (one.name === null ? [] : [[one.name, one]])));
    const asked = packagesOf(from, ecosystem).flatMap((one) =>
      one.dependencies.flatMap((dependency) => {
        const provider = provided.get(dependency.name);
        return provider === undefined ? [] : [{ one, dependency, provider }];
      }),
    );
    const needed = asked.filter(({ dependency }) => dependency.source !== 'path');
    if (needed.length < asked.length) isDeclared = true;
    if (needed.length === 0) continue;
    problems.push(...needed.flatMap(({ dependency, provider }) => problemOf(from, to, dependency, provider)));
    const kind = ecosystem === 'npm' ? (usesPnpm ? 'pnpm' : 'npm') : ecosystem;
    const member = (repo: LinkedRepo, { name, path }: PackageManifest): LinkMember => {
      const folder = path === '.' ? repo.path : `${repo.path}/${path}`;
      const go = goVersions.get(folder);
      return { name: name ?? folder, path: folder, ...(go === undefined ? {} : { go }) };
    };
    const by = [...new Set(needed.map(({ one }) => one))].map((one) => member(from, one));
    const takes = closureOf(
      needed.map(({ provider }) => provider),
      provided,
    ).map((one) => member(to, one));
    for (const { name } of [...by, ...takes]) {
      if (!isLinkableName(name)) problems.push(`${JSON.stringify(name)} is no name of a package that can be linked.`);
    }
    inFiles.set(kind, { from: from.path, to: to.path, by: byPath(by), takes: byPath(takes) });
  }
  return { inFiles, isDeclared, problems: [...new Set(problems)] };
}

function packagesOf({ packages }: LinkedRepo, ecosystem: Ecosystem): readonly PackageManifest[] {
  return packages.filter((one) => one.ecosystem === ecosystem);
}

function problemOf(
  from: LinkedRepo,
  to: LinkedRepo,
  { name, requirement, source, raw }: Dependency,
  { ecosystem, version }: PackageManifest,
): readonly string[] {
  if (source === 'git' || source === 'url' || source === 'unknown')
    return [`${from.name} takes ${name} from elsewhere than a registry (${raw}): a link would not change that.`];
  if (requirement === null || version === null || versionFits(ecosystem, requirement, version) !== false) return [];
  return [`${from.name} needs ${name} ${requirement}, and ${to.name} has ${version}.`];
}

/** The packages, and those of the same repository that they need, directly or through others. */
function closureOf(
  first: readonly PackageManifest[],
  all: ReadonlyMap<string, PackageManifest>,
): readonly PackageManifest[] {
  const found = new Set(first);
  // a set gives what is added during the loop, too
  for (const { dependencies } of found) {
    for (const { name } of dependencies) {
      const other = all.get(name);
      if (other !== undefined) found.add(other);
    }
  }
  return [...found];
}

function byPath(members: readonly LinkMember[]): readonly LinkMember[] {
  return [...members].sort((a, b) => (a.path < b.path ? -1 : 1));
}
