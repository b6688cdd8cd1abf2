import { LonghaulError } from '../../shared/failures.ts';

/** Commits of a release whose authors are collected. */
export const MOST_COMMITS_WITH_AUTHORS = 10_000;
/** Authors of a release that are carried by its flow. */
const MOST_AUTHORS = 1_000;

/** The addresses of the authors of commits, each once; null when there are too many to know them all. */
export function authorsOf(commits: readonly { readonly authors: readonly string[] }[]): readonly string[] | null {
  if (commits.length > MOST_COMMITS_WITH_AUTHORS) return null;
  const authors = new Set(commits.flatMap((each) => each.authors));
  return authors.size > MOST_AUTHORS ? null : [...authors];
}

/** The authors who may not approve. Throws `PromotionRefused` when the policy excludes authors and not all are known. */
export function excludedAuthors(isExcluding: boolean, authors: readonly string[] | null): readonly string[] {
  if (!isExcluding) return [];
  if (authors !== null) return authors;
  throw new LonghaulError(
    'PromotionRefused',
    `The policy excludes the authors of the release from its approval (exclude_authors), but it has more than ${MOST_COMMITS_WITH_AUTHORS} commits or ${MOST_AUTHORS} authors: release fewer commits, or change the policy.`,
  );
}
