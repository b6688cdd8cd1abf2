import { GITHUB_LIMITS } from '../../domain/forge/forge-budget.ts';
import { fingerprintOf } from './account.ts';
import { forgeLines } from './line.ts';

/** Makes a request to a forge when a slot is free. */
export type ForgeTurn = <Result>(request: () => Promise<Result>, signal: AbortSignal | undefined) => Promise<Result>;

/** A forge that only limits concurrent requests. */
export interface CountedForge {
  /** Base of the web site. */
  readonly url: string;
  /** Concurrent requests. @default 100 */
  readonly limits?: { readonly concurrency?: number | undefined } | undefined;
}

/**
 * The slots of a forge and token: the API and git requests of all workers together never exceed the concurrency limit.
 */
export function forgeTurn({ url, limits }: CountedForge, token: () => string | null): ForgeTurn {
  const { host } = new URL(url);
  const { concurrency = GITHUB_LIMITS.concurrency } = limits ?? {};
  return async (request, signal) => {
    const fingerprint = fingerprintOf(token() ?? 'anonymous');
    const account = { host, fingerprint, limits: { ...GITHUB_LIMITS, concurrency } };
    return forgeLines(account).git.run(0, async () => ({ value: await request(), said: {} }), signal);
  };
}
