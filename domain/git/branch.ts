import { matchesWildcards } from './pattern.ts';
import { DEFAULT_REF } from './snapshot.ts';

/** Prefix of the full name of a branch's ref. */
const HEADS = 'refs/heads/';

/** Maximum number of branches indexed per repository in addition to HEAD: each is another tree to maintain. */
export const MOST_BRANCHES = 50;

/** The error message for {@link isBranchPattern}. */
export const NOT_A_BRANCH_PATTERN =
  'must be the name of a branch, such as develop, or a pattern of names with * and ?, such as release/*';

/** The full name of a branch's ref. */
export function refOfBranch(name: string): string {
  return `${HEADS}${name}`;
}

/** The branch name of a ref; null for HEAD. */
export function branchOfRef(ref: string): string | null {
  return ref.startsWith(HEADS) ? ref.slice(HEADS.length) : null;
}

/**
 * True for a valid branch name (git-check-ref-format(1)) that cannot be read as an option or as a path outside. Text
 * that was not UTF-8 is not valid.
 */
export function isBranchName(name: string): boolean {
  return (
    name.length <= 200 &&
    // oxlint-disable-next-line no-control-regex -- the point is to reject control characters
    !/[\u0000-\u0020\u007f-\u009f~^:?*[\\\ufffd]|\.\.|@\{|\/\/|^[-/]|[/.]$/.test(name) &&
    !['', '@', DEFAULT_REF].includes(name) &&
    name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** True for a branch name or a pattern of names: `*` matches any characters, slashes too, and `?` matches one. */
export function isBranchPattern(pattern: string): boolean {
  return !pattern.startsWith('refs/') && isBranchName(pattern.replaceAll(/[*?]/g, 'x'));
}

/** True when one of the patterns matches the branch. */
export function matchesBranch(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesWildcards(pattern, name));
}

/** Distinct refs in the order in which objects list them: HEAD, then the branches by name. */
export function inRefOrder(refs: Iterable<string>): string[] {
  const unique = new Set(refs);
  const branches = [...unique].filter((ref) => ref !== DEFAULT_REF).sort();
  return unique.has(DEFAULT_REF) ? [DEFAULT_REF, ...branches] : branches;
}
