import { GITHUB_LIMITS } from '../../../domain/forge/forge-budget.ts';
import { fingerprintOf } from './account.ts';
import { forgeLines } from './line.ts';

/** Makes a request to a forge when there is a place for it. */
export type ForgeTurn = <Result>(request: () => Promise<Result>, signal: AbortSignal | undefined) => Promise<Result>;

/** A forge of which nothing is counted but what is under way. */
export interface CountedForge {
  /** Base of the web site. */
  readonly url: string;
  /** Concurrent requests. @default 100 */
  readonly limits?: { readonly concurrency?: number | undefined } | undefined;
}

/**
 * The places of a forge and token: no more requests of its API and of git are under way at the same time than it may have,
 * whichever workers make them.
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
