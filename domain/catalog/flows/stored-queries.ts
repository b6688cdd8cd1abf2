import type { Zod } from '../../shared/flow.ts';

/** Saved queries that builds are compared with (docs/search.md). */
export function storedQueries(z: Zod) {
  return z
    .array(
      z.strictObject({
        query: z.string().min(1).max(1_000),
        repo: z.string().min(1).max(300).optional(),
        expect: z.array(z.string().min(1).max(4_096)).max(50).optional(),
      }),
    )
    .max(500);
}

/** A file of stored queries. */
export function queriesFile(z: Zod) {
  return z.strictObject({ queries: storedQueries(z).min(1, 'give at least one query') });
}
