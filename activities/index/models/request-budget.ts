import { setTimeout as sleep } from 'node:timers/promises';

/** What a server may be asked. */
export interface BudgetLimits {
  /** Left out: as many as are made. */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens that all requests of a minute may have. @default no limit */
  readonly tokensPerMinute?: number | undefined;
  /** Requests at the same time. */
  readonly concurrency: number;
}

/** Lets requests to one server through, evenly spaced, no more of them than {@link BudgetLimits} allow. */
export interface RequestBudget {
  /**
   * Makes a request when its turn has come. Rejects with the signal's reason as soon as it is aborted, also while it waits; a
   * request that was let through is counted, whatever becomes of it.
   */
  spend<T>(tokens: number, signal: AbortSignal, request: () => Promise<T>): Promise<T>;
  /** Says that a request took so many tokens more than it was let through with; fewer, when negative. */
  correct(tokens: number): void;
  /** Lets nothing through for so many milliseconds. */
  pause(ms: number): void;
}

const MINUTE = 60_000;

/** A budget, all of it unspent. */
export function createRequestBudget({ requestsPerMinute, tokensPerMinute, concurrency }: BudgetLimits): RequestBudget {
  const perRequest = requestsPerMinute === undefined ? 0 : MINUTE / requestsPerMinute;
  const perToken = tokensPerMinute === undefined ? 0 : MINUTE / tokensPerMinute;
  const waiting: (() => void)[] = [];
  let free = concurrency;
  // the moments until which requests and tokens are spent, and until which the server wants no request
  let requestsUntil = 0;
  let tokensUntil = 0;
  let pausedUntil = 0;

  async function takeSlot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(enter);
    });
  }

  function giveSlot(): void {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }

  async function takeTurn(tokens: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const now = performance.now();
      const turn = Math.max(now, requestsUntil, tokensUntil, pausedUntil);
      requestsUntil = turn + perRequest;
      tokensUntil = turn + tokens * perToken;
      await pauseFor(turn - now, signal);
      // the server may have asked for a pause meanwhile: all that wait then take turns anew, so that they do not come at once
      if (performance.now() >= pausedUntil) return;
    }
  }

  return {
    async spend(tokens, signal, request) {
      await takeSlot(signal);
      try {
        await takeTurn(tokens, signal);
        return await request();
      } finally {
        giveSlot();
      }
    },
    correct(tokens) {
      tokensUntil += tokens * perToken;
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, performance.now() + ms);
    },
  };
}

/** Waits; rejects with the signal's reason at once when it is aborted. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms <= 0) return;
  try {
    await sleep(Math.ceil(ms), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
