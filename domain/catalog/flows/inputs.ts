import { isBranchName, isBranchPattern, NOT_A_BRANCH_PATTERN } from '../../git/branch.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import type { Busy, DigestId, Zod } from '../../shared/flow.ts';

/** mgit patterns, at least one. */
export function patternList(z: Zod) {
  return z.array(z.string().min(1).max(300)).min(1, 'give at least one pattern').max(1_000);
}

/** Number of repositories processed in parallel. */
export function parallel(z: Zod) {
  return z.int().min(1).max(64).default(8);
}

/** Digest of a build. */
export function buildDigest(z: Zod) {
  return z.string().regex(/^[0-9a-f]{16}$/, 'must be the digest of a build: see `longhaul index builds`');
}

/** Id of a repository. */
export function repositoryIdSchema(z: Zod) {
  return z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID);
}

/** Name of a branch. */
export function branchName(z: Zod) {
  return z.string().refine(isBranchName, 'must be the name of a branch');
}

/** Names of branches, or patterns of them. */
export function branchList(z: Zod) {
  return z.array(z.string().refine(isBranchPattern, NOT_A_BRANCH_PATTERN)).max(200);
}

/** The message for an input with both patterns and `all`, or with neither. */
export const PATTERNS_OR_ALL = 'give either patterns or "all": true';

/** True for an input with either patterns or `all`, not both. */
export function hasPatternsOrAll({ patterns, all }: { patterns?: unknown; all: boolean }): boolean {
  return all !== (patterns !== undefined);
}

/** Workflow id of a run over the repositories that match patterns; the order of the patterns does not matter. */
export function patternsId(verb: string, patterns: readonly string[] | undefined, branch?: string): string | DigestId {
  if (patterns === undefined) return `${verb}-all`;
  const of = [...patterns.toSorted(), ...(branch === undefined ? [] : [`\n${branch}`])].join('\n');
  return { prefix: `${verb}-`, of };
}

/** Summary of a run over the repositories that match patterns, or over all. */
export function patternsSummary(verb: string, patterns: readonly string[] | undefined): string {
  return patterns === undefined ? `${verb} all repositories` : `${verb} ${patterns.join(', ')}`.slice(0, 200);
}

/** The search attributes of a run over one repository. */
export function aboutRepository(repository: string): Readonly<Record<string, string>> {
  return { LonghaulRepository: repositoryName(repository) };
}

/** The workflow id that is the lock of a repository: one for the live build, one for each other build. */
export function repositoryLock(repository: string, build?: string): string {
  return build === undefined ? `sync/${repository}` : `build/${build}/${repository}`;
}

/** Another run holds the lock of a repository. */
export function repositoryBusy(repository: string): Busy {
  return { type: 'RepositoryBusy', message: `Another run is working on ${repository}.` };
}
