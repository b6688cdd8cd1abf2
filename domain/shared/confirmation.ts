import type { Zod } from './flow.ts';

/** A person's answer to `Proceed with initial indexing?`, the argument of the update `confirm`. */
export interface Confirmation {
  readonly proceed: boolean;
  /** Who answered, for the record. */
  readonly by?: string;
}

/** The schema of a {@link Confirmation} that a service sends. */
export function confirmationSchema(z: Zod) {
  return z.strictObject({ proceed: z.boolean() });
}
