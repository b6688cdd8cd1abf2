import { sha256 } from '../../platform/sha256.ts';
import type { ForgeLimits } from '../../domain/forge/forge-budget.ts';

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
  return sha256(token).slice(0, 12);
}
