/** What a further result of a repository that has one already counts, of what the one before counted. */
const DECAY = 0.93;
/** What it counts at least: what is better by more is never kept behind. */
const LEAST = 0.6;

/** A result, and what its score became for the sake of other repositories. */
export interface Spread<Result> {
  readonly result: Result;
  readonly score: number;
  /** 1 for the first result of a repository. */
  readonly factor: number;
}

/**
 * Orders results of several repositories, best first, so that none of them crowds out the others: each further result of a
 * repository counts a little less. Results of one repository keep their order, and all results stay.
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
