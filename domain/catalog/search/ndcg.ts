/** Number of ranks that count. */
export const RANKS = 10;

/**
 * Normalised discounted cumulative gain of the first ten results: 1 for the best possible results in the best order, 0
 * when no result has a gain. `gains` are the gains of the results by rank; `judged` the gains of all judged items, in
 * any order. Gain is linear, divided by log2(rank + 1). Järvelin and Kekäläinen, 2002.
 */
export function ndcgAt10(gains: readonly number[], judged: readonly number[]): number {
  const best = discounted(judged.toSorted((a, b) => b - a));
  return best === 0 ? 0 : discounted(gains) / best;
}

function discounted(gains: readonly number[]): number {
  return gains.slice(0, RANKS).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}
