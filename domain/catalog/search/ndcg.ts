/** Ranks that count. */
export const RANKS = 10;

/**
 * Normalised discounted cumulative gain of the first ten results: 1 when they are the best that there are, best first, 0 when
 * none is worth anything. `gains` is what each result is worth, best rank first; `judged` what everything that was judged is
 * worth, in any order. Gain is linear, and divided by log2(rank + 1). Järvelin and Kekäläinen, 2002.
 */
export function ndcgAt10(gains: readonly number[], judged: readonly number[]): number {
  const best = discounted(judged.toSorted((a, b) => b - a));
  return best === 0 ? 0 : discounted(gains) / best;
}

function discounted(gains: readonly number[]): number {
  return gains.slice(0, RANKS).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}
