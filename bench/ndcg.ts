import { ndcgAt10 } from '../domain/catalog/search/ndcg.ts';
import type { JudgedQuery } from './judged.schema.ts';

/** The gain of a file at the first rank, by its judgement; any other file has none. */
export interface Gains {
  readonly relevant: number;
  readonly secondary: number;
}

/** The same gain for every judged file. */
export const BINARY: Gains = { relevant: 1, secondary: 1 };
/** The file that implements the answer has three times the gain of other good results. */
export const GRADED: Gains = { relevant: 3, secondary: 1 };

/** NDCG@10 of files. `found` is the path of each result, best first; a file counts once, at its first position. */
export function ndcg(
  found: readonly string[],
  judged: Pick<JudgedQuery, 'relevant' | 'secondary'>,
  { relevant, secondary }: Gains = BINARY,
): number {
  const worth = new Map([
    ...judged.secondary.map((path) => [path, secondary] as const),
    ...judged.relevant.map((path) => [path, relevant] as const),
  ]);
  const gains = [...new Set(found)].map((path) => worth.get(path) ?? 0);
  return ndcgAt10(gains, [...worth.values()]);
}
