import { lt, rcompare } from 'semver';
import { VERSION_FORM } from '../contracts/version.ts';

/** A released version, and its commit. */
export interface KnownRelease {
  readonly version: string;
  /** Full oid. */
  readonly commit: string;
}

/** A tag of the remote. */
interface TagAtCommit {
  readonly name: string;
  /** Full oid. */
  readonly commit: string;
}

/** The release before another one, as the ledger knows it. */
export interface LedgerBefore {
  /** The highest version below it that is promoted; of a hotfix its base, if that is promoted. Null for none. */
  readonly before: KnownRelease | null;
  /** The version that a hotfix is made for; null for any other generation. */
  readonly base: string | null;
}

/**
 * The commits where a release begins: the commits that they contain belong to earlier releases. The tags of the remote
 * count too, because a repository may have releases from before Longhaul, or made by hand. Null for its first release.
 */
export function releaseBegins(
  version: string,
  { before, base }: LedgerBefore,
  tags: readonly TagAtCommit[],
): { readonly notes: string | null; readonly authors: string | null } {
  const tagged = tags
    .filter(({ name }) => (base === null ? VERSION_FORM.test(name) && lt(name, version) : name === base))
    .map(({ name, commit }): KnownRelease => ({ version: name, commit }));
  // of two with the same version the ledger's stays first
  const [last] = [...(before === null ? [] : [before]), ...tagged].toSorted((a, b) => rcompare(a.version, b.version));
  return {
    notes: last?.commit ?? null,
    // whose approval does not count must not depend on a tag that one of them could push
    authors: (before ?? last)?.commit ?? null,
  };
}

/** True when no version that the remote has a tag of is higher. */
export function isHighest(version: string, tags: readonly Pick<TagAtCommit, 'name'>[]): boolean {
  return !tags.some(({ name }) => VERSION_FORM.test(name) && lt(version, name));
}
