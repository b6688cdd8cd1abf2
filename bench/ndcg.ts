import { ndcgAt10 } from '../domain/catalog/search/ndcg.ts';
import type { JudgedQuery } from './judged.schema.ts';

/** What a file at the first rank is worth, by how it was judged; any other file is worth nothing. */
export interface Gains {
  readonly relevant: number;
  readonly secondary: number;
}

/** Every judged file is worth the same. */
export const BINARY: Gains = { relevant: 1, secondary: 1 };
/** Where the answer is implemented is worth three times what is good to find as well. */
export const GRADED: Gains = { relevant: 3, secondary: 1 };

/** NDCG@10 of files. `found` is the path of each result, best first; a file counts once, where it comes first. */
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
