import { setTimeout as sleep } from 'node:timers/promises';

/** Limits of requests to a server. */
export interface BudgetLimits {
  /** Absent: unlimited. */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens that all requests of a minute may have. @default no limit */
  readonly tokensPerMinute?: number | undefined;
  /** Concurrent requests. */
  readonly concurrency: number;
}

/** Spaces requests to one server evenly within {@link BudgetLimits}. */
export interface RequestBudget {
  /**
   * Makes a request when the budget allows it. Rejects with the signal's reason as soon as it is aborted, also while it
   * waits. A started request counts, even if it fails.
   */
  spend<T>(tokens: number, signal: AbortSignal, request: () => Promise<T>): Promise<T>;
  /** Corrects the tokens of a request: positive when it used more than estimated, negative when it used fewer. */
  correct(tokens: number): void;
  /** Starts no requests for this many milliseconds. */
  pause(ms: number): void;
}

/** The clock of a budget. */
export interface BudgetClock {
  /** Milliseconds since a fixed moment. */
  now(): number;
  /** Waits; rejects immediately with the signal's reason when it is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

const MINUTE = 60_000;
const REAL_CLOCK: BudgetClock = { now: () => performance.now(), pause: (ms, signal) => pauseFor(ms, signal) };

/** Creates an unspent budget. */
export function createRequestBudget(
  { requestsPerMinute, tokensPerMinute, concurrency }: BudgetLimits,
  clock: BudgetClock = REAL_CLOCK,
): RequestBudget {
  const perRequest = requestsPerMinute === undefined ? 0 : MINUTE / requestsPerMinute;
  const perToken = tokensPerMinute === undefined ? 0 : MINUTE / tokensPerMinute;
  const waiting: (() => void)[] = [];
  let free = concurrency;
  // the times until which requests and tokens are spent, and until which the server wants no requests
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
      const now = clock.now();
      const turn = Math.max(now, requestsUntil, tokensUntil, pausedUntil);
      requestsUntil = turn + perRequest;
      tokensUntil = turn + tokens * perToken;
      await clock.pause(turn - now, signal);
      // the server may have asked for a pause meanwhile: all waiting requests are then spaced again, so that they do
      // not start at once
      if (clock.now() >= pausedUntil) return;
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
      pausedUntil = Math.max(pausedUntil, clock.now() + ms);
    },
  };
}

/** Waits; rejects immediately with the signal's reason when it is aborted. */
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
