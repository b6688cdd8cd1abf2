import { z } from 'zod';
import { envName, shortName } from './values.schema.ts';

/** A channel that receives alerts and announcements. Addresses that contain a secret are given by the name of an environment variable. */
export const alertChannelSchema = z.discriminatedUnion('type', [
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

/** A channel of {@link alertChannelSchema}. */
export type AlertChannelConfig = z.infer<typeof alertChannelSchema>;
