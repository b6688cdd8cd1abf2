import { matchesWildcards } from './pattern.ts';
import { DEFAULT_REF } from './snapshot.ts';

/** What the full name of a branch's ref begins with. */
const HEADS = 'refs/heads/';

/** Branches that a repository is indexed at beside its HEAD, at most: each is another tree to keep true. */
export const MOST_BRANCHES = 50;

/** Why {@link isBranchPattern} said no. */
export const NOT_A_BRANCH_PATTERN =
  'must be the name of a branch, such as develop, or a pattern of names with * and ?, such as release/*';

/** The full name of a branch's ref. */
export function refOfBranch(name: string): string {
  return `${HEADS}${name}`;
}

/** The name of the branch that a ref is; null for HEAD. */
export function branchOfRef(ref: string): string | null {
  return ref.startsWith(HEADS) ? ref.slice(HEADS.length) : null;
}

/**
 * True for what may be the name of a branch (git-check-ref-format(1)): it can be taken neither for an option nor for a path
 * that leads elsewhere. Text that was not UTF-8 is none.
 */
export function isBranchName(name: string): boolean {
  return (
    name.length <= 200 &&
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not get in
    !/[\u0000-\u0020\u007f-\u009f~^:?*[\\\ufffd]|\.\.|@\{|\/\/|^[-/]|[/.]$/.test(name) &&
    !['', '@', DEFAULT_REF].includes(name) &&
    name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** True for the name of a branch, or a pattern of names: `*` stands for any characters, slashes too, and `?` for one. */
export function isBranchPattern(pattern: string): boolean {
  return !pattern.startsWith('refs/') && isBranchName(pattern.replaceAll(/[*?]/g, 'x'));
}

/** True when one of the patterns means the branch. */
export function matchesBranch(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesWildcards(pattern, name));
}

/** Refs, each once, in the order in which objects list them: HEAD, then the branches by name. */
export function inRefOrder(refs: Iterable<string>): string[] {
  const unique = new Set(refs);
  const branches = [...unique].filter((ref) => ref !== DEFAULT_REF).sort();
  return unique.has(DEFAULT_REF) ? [DEFAULT_REF, ...branches] : branches;
}
