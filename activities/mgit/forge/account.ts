import { createHash } from 'node:crypto';
import type { ForgeLimits } from '../../../domain/forge/forge-budget.ts';

/** The account that a budget belongs to: one token at one forge. */
export interface ForgeAccount {
  /** Host of the forge, with its port if it has one. */
  readonly host: string;
  /** {@link fingerprintOf} the token: identifies the token without revealing it. */
  readonly fingerprint: string;
  readonly limits: ForgeLimits;
}

/** The first twelve hex digits of a token's SHA-256. */
export function fingerprintOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 12);
}
