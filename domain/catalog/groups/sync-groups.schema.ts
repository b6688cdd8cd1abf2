import { z } from 'zod';
import { spanOfTime } from '../../shared/span.schema.ts';
import { branchList } from '../flows/inputs.ts';

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'use letters, digits, dot, dash and underscore, at most 100');
const patterns = z.array(z.string().min(1).max(300)).max(1_000);

/** True for a time zone of the IANA database. */
function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format();
    return true;
  } catch {
    return false;
  }
}

const declaredGroup = z
  .strictObject({
    name,
    description: z.string().max(1_000).default(''),
    schedule: z.string().min(1).max(200),
    timezone: z.string().refine(isTimeZone, 'not a time zone: use one such as Europe/Berlin').default('UTC'),
    jitter: spanOfTime('1h').optional(),
    patterns: patterns.min(1, 'give at least one pattern'),
    exclude: patterns.default([]),
    branches: branchList(z).default([]),
    parallel: z.int().min(1).max(64).default(8),
    priority: z.int().min(1).max(5).default(3),
    paused: z.boolean().default(false),
  })
  .transform(({ jitter, ...group }) => ({ ...group, jitterSeconds: jitter ?? 0 }));

/** `sync-groups.yaml` (docs/sync-groups.md). Unknown keys are refused. */
export const syncGroupsFile = z.strictObject({
  version: z.literal(1, {
    error: ({ input }) => (input === undefined ? undefined : 'this version of Longhaul reads version 1'),
  }),
  groups: z.array(declaredGroup).max(1_000),
});
