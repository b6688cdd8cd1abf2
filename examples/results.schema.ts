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

/** The part of `longhaul status --json` that the demo uses. */
export const statusResult = z.object({
  status: z.enum(['running', 'starting', 'stopped']),
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string().nullable() }).nullish(),
  programs: z.array(z.object({ name: z.string(), alive: z.boolean() })).optional(),
});

/** Rows of `longhaul db query --json` about a release. */
export const generationRows = z.array(
  z.object({ version: z.string(), status: z.string(), commit: z.string().nullable(), tag: z.string().nullable() }),
);
export const evolutionRows = z.array(
  z.object({ tag: z.string(), change_id: z.string(), status: z.string(), commit: z.string().nullable() }),
);
export const deploymentRows = z.array(z.object({ version: z.string(), status: z.string() }));
export const promotionEvents = z.array(z.object({ resource_id: z.string() }));

export type PrintedFleetResult = z.infer<typeof fleetResult>;
export type Status = z.infer<typeof statusResult>;
