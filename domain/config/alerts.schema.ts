import { z } from 'zod';
import { spanOfTime } from '../shared/span.schema.ts';
import { envName, shortName } from './values.schema.ts';

/** Somebody who is told of alerts. Addresses that hold a secret are named, never written. */
export const alertChannelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    name: shortName,
    type: z.literal('webhook'),
    /** Name of the environment variable that holds the address. */
    urlEnv: envName,
    /** Name of the environment variable that holds the secret that the body is signed with. */
    secretEnv: envName.optional(),
  }),
  z.strictObject({
    name: shortName,
    type: z.literal('slack'),
    /** Name of the environment variable that holds the address of an incoming webhook. */
    urlEnv: envName,
  }),
  z.strictObject({
    name: shortName,
    type: z.literal('email'),
    /** Name of the environment variable that holds `smtps://user:password@host:port`. */
    smtpUrlEnv: envName,
    from: z.email(),
    to: z.array(z.email()).min(1, 'give at least one address').max(50),
  }),
]);

/** Who is told when a sync group needs somebody (docs/alerts.md). */
export const alertsSchema = z.strictObject({
  channels: z
    .array(alertChannelSchema)
    .default([])
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two channels have the same name'),
  /** A group of which nothing was left to do longer ago than this. */
  staleAfter: spanOfTime('90d').prefault('6h'),
  /** A repository that failed in so many runs in a row. */
  failingRuns: z.int().min(1).max(10).default(3),
});

/** See {@link alertChannelSchema}. */
export type AlertChannelConfig = z.infer<typeof alertChannelSchema>;
