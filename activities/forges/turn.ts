import { CONTENT_LIMITS, GITHUB_LIMITS } from '../../domain/forge/forge-budget.ts';
import { fingerprintOf } from './account.ts';
import { type ForgeLines, forgeLines } from './line.ts';

/** Makes a request to a forge when a slot is free. */
export type ForgeTurn = <Result>(request: () => Promise<Result>, signal: AbortSignal | undefined) => Promise<Result>;

/** A forge that only limits concurrent requests. */
export interface CountedForge {
  /** Base of the web site. */
  readonly url: string;
  /** Concurrent requests. @default 100; content: {@link CONTENT_LIMITS} */
  readonly limits?:
    | {
        readonly concurrency?: number | undefined;
        readonly contentPerMinute?: number | undefined;
        readonly contentPerHour?: number | undefined;
      }
    | undefined;
}

/**
 * The slots of a forge and token: the API and git requests of all workers together never exceed the concurrency limit.
 */
export function forgeTurn(forge: CountedForge, token: () => string | null): ForgeTurn {
  return async (request, signal) =>
    linesOf(forge, token()).git.run(0, async () => ({ value: await request(), said: {} }), signal);
}

/** The same for requests that create content, which all workers together make only so many of. */
export function contentTurn(forge: CountedForge, token: () => string | null): ForgeTurn {
  const turn = forgeTurn(forge, token);
  return async (request, signal) => {
    const once = async () => ({ value: await turn(request, signal), said: {} });
    return linesOf(forge, token()).content.run(1, once, signal);
  };
}

function linesOf({ url, limits = {} }: CountedForge, token: string | null): ForgeLines {
  const {
    concurrency = GITHUB_LIMITS.concurrency,
    contentPerMinute = CONTENT_LIMITS.contentPerMinute,
    contentPerHour = CONTENT_LIMITS.contentPerHour,
  } = limits;
  const fingerprint = fingerprintOf(token ?? 'anonymous');
  return forgeLines({
    host: new URL(url).host,
    fingerprint,
    limits: { ...GITHUB_LIMITS, concurrency, contentPerMinute, contentPerHour },
  });
}
