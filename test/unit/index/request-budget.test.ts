import { describe, expect, test } from 'vitest';
import { type BudgetClock, createRequestBudget } from '../../../activities/index/models/request-budget.ts';

/** A clock that stands still while anything else runs, and then jumps to the end of the shortest wait. */
function virtualClock(): BudgetClock {
  let now = 0;
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  const advance = (): void => {
    sleepers.sort((a, b) => a.at - b.at);
    const next = sleepers.shift();
    if (!next) return;
    now = Math.max(now, next.at);
    next.wake();
  };
  return {
    now: () => now,
    pause: (ms) =>
      new Promise((resolve) => {
        sleepers.push({ at: now + Math.max(0, ms), wake: resolve });
        setImmediate(advance);
      }),
  };
}

const signal = new AbortController().signal;

describe('the budget of a server', () => {
  test('spaces requests evenly for any number of callers', async () => {
    const clock = virtualClock();
    const budget = createRequestBudget({ requestsPerMinute: 600, concurrency: 8 }, clock);
    const times = Array.from({ length: 12 }, () => budget.spend(1, signal, () => Promise.resolve(clock.now())));
    expect(await Promise.all(times)).toEqual(Array.from({ length: 12 }, (_, at) => at * 100));
  });

  test('spaces requests by their estimated tokens, corrected by the actual ones', async () => {
    const clock = virtualClock();
    const budget = createRequestBudget({ tokensPerMinute: 60_000, concurrency: 1 }, clock);
    const spend = (tokens: number): Promise<number> => budget.spend(tokens, signal, () => Promise.resolve(clock.now()));
    expect(await spend(500)).toBe(0);
    budget.correct(250);
    expect(await spend(100)).toBe(750);
    expect(await spend(1)).toBe(850);
  });

  test('starts no request during a pause of the server, and spaces waiting requests again', async () => {
    const clock = virtualClock();
    const budget = createRequestBudget({ requestsPerMinute: 60, concurrency: 8 }, clock);
    const spend = (): Promise<number> => budget.spend(1, signal, () => Promise.resolve(clock.now()));
    expect(await spend()).toBe(0);
    budget.pause(10_000);
    const waited = await Promise.all([spend(), spend(), spend()]);
    expect(waited).toEqual([10_000, 11_000, 12_000]);
  });
});
