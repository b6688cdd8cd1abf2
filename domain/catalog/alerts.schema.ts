import { z } from 'zod';
import { alertChannelSchema } from '../shared/channels.schema.ts';
import { spanOfTime } from '../shared/span.schema.ts';

/** Alerts about sync groups, and the channels that receive them (docs/alerts.md). */
const alertsSchema = z.strictObject({
  channels: z
    .array(alertChannelSchema)
    .default([])
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two channels have the same name'),
  /** Alert when a group has not been fully up to date for longer than this. */
  staleAfter: spanOfTime('90d').prefault('6h'),
  /** Alert when a repository failed in this many consecutive runs. */
  failingRuns: z.int().min(1).max(10).default(3),
});

/** The sections of the catalog in `longhaul.yaml`. */
export const catalogSections = { alerts: alertsSchema.prefault({}) };
