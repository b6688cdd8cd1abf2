import { z } from 'zod';

const count = z.number().int().nonnegative();

/** The part of `longhaul index add --json` and `longhaul sync --json` that the demo shows. */
export const fleetResult = z.object({
  workflowId: z.string(),
  matched: count,
  succeeded: count,
  skipped: count,
  failed: count,
  failures: z.array(z.object({ repository: z.string(), error: z.string() })),
  filesChanged: count,
  objectsWritten: count,
  objectsDeleted: count,
});

/** The part of `longhaul search --json` that the demo shows. */
export const searchResult = z.object({
  query: z.string(),
  tookMs: z.number(),
  results: z.array(
    z.object({
      repo: z.string(),
      path: z.string(),
      startLine: z.number(),
      endLine: z.number(),
      language: z.string().nullish(),
      snippet: z.string(),
    }),
  ),
});

/** The part of `longhaul status --json` that the demo uses. */
export const statusResult = z.object({
  status: z.enum(['running', 'starting', 'stopped']),
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string().nullable() }).nullish(),
});

export type FleetResult = z.infer<typeof fleetResult>;
export type SearchResult = z.infer<typeof searchResult>;
export type Status = z.infer<typeof statusResult>;
