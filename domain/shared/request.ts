import type { Zod } from './flow.ts';

/** Who starts a flow whose acts are recorded. */
export interface RequestFields {
  /** The person who starts it: a name that proves nothing. @default 'unknown' */
  readonly by?: string;
  /** The request that the gateway recorded, which proves who starts it. @default none */
  readonly requestId?: string;
}

/** The schema of {@link RequestFields.by}. */
export function personName(z: Zod) {
  return z.string().min(1).max(200).default('unknown');
}

/** The schema of {@link RequestFields.requestId}. */
export function requestId(z: Zod) {
  return z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be the id of a request')
    .optional();
}

/** SHA-256 of something in the blob store. */
export function digest(z: Zod) {
  return z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal digits');
}
