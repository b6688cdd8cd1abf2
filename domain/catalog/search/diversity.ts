/** Factor for each further result of a repository, relative to the one before. */
const DECAY = 0.93;
/** The smallest factor: a result that is better by more than this is never moved down. */
const LEAST = 0.6;

/** A result with its adjusted score. */
export interface Spread<Result> {
  readonly result: Result;
  readonly score: number;
  /** 1 for the first result of a repository. */
  readonly factor: number;
}

/**
 * Orders results of several repositories, best first, so that no repository crowds out the others: each further result
 * of a repository gets a slightly lower score. Results of one repository keep their order, and no result is dropped.
 */
export function spreadOverRepositories<Result>(
  results: readonly Result[],
  of: (result: Result) => { readonly repo: string; readonly score: number },
): Spread<Result>[] {
  const seen = new Map<string, number>();
  return results
    .map((result) => ({ result, ...of(result) }))
    .sort((a, b) => b.score - a.score)
    .map(({ result, repo, score }) => {
      const before = seen.get(repo) ?? 0;
      seen.set(repo, before + 1);
      const factor = Math.max(LEAST, DECAY ** before);
      return { result, score: score * factor, factor };
    })
    .sort((a, b) => b.score - a.score);
}
