import type { JudgedQuery } from './judged.schema.ts';

/** Ranks that count. */
const DEPTH = 10;

/** What a file at the first rank is worth, by how it was judged; any other file is worth nothing. */
export interface Gains {
  readonly relevant: number;
  readonly secondary: number;
}

/** Every judged file is worth the same. */
export const BINARY: Gains = { relevant: 1, secondary: 1 };
/** Where the answer is implemented is worth three times what is good to find as well. */
export const GRADED: Gains = { relevant: 3, secondary: 1 };

/**
 * NDCG@10 of files: 1 when the ten first files are the judged ones, best first, 0 when none is among them. `found` is the
 * path of each result, best first; a file counts once, where it comes first. Gain is linear, and divided by log2(rank + 1).
 */
export function ndcg(
  found: readonly string[],
  judged: Pick<JudgedQuery, 'relevant' | 'secondary'>,
  gains: Gains = BINARY,
): number {
  const worth = new Map([
    ...judged.secondary.map((path) => [path, gains.secondary] as const),
    ...judged.relevant.map((path) => [path, gains.relevant] as const),
  ]);
  const ideal = [...worth.values()].toSorted((a, b) => b - a);
  return discounted([...new Set(found)].map((path) => worth.get(path) ?? 0)) / discounted(ideal);
}

function discounted(gains: readonly number[]): number {
  return gains.slice(0, DEPTH).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}
