import { z } from 'zod';
import { spanOfTime } from '../shared/span.schema.ts';
import { envName, shortName } from '../shared/values.schema.ts';

/** A channel that receives alerts. Addresses that contain a secret are given by the name of an environment variable. */
const alertChannelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    name: shortName,
    type: z.literal('webhook'),
    /** Name of the environment variable with the address. */
    urlEnv: envName,
    /** Name of the environment variable with the secret that signs the body. */
    secretEnv: envName.optional(),
  }),
  z.strictObject({
    name: shortName,
    type: z.literal('slack'),
    /** Name of the environment variable with the address of an incoming webhook. */
    urlEnv: envName,
  }),
  z.strictObject({
    name: shortName,
    type: z.literal('email'),
    /** Name of the environment variable with `smtps://user:password@host:port`. */
    smtpUrlEnv: envName,
    from: z.email(),
    to: z.array(z.email()).min(1, 'give at least one address').max(50),
  }),
]);

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

/** A channel that receives alerts. */
export type AlertChannelConfig = z.infer<typeof alertChannelSchema>;

/** The sections of the catalog in `longhaul.yaml`. */
export const catalogSections = { alerts: alertsSchema.prefault({}) };
