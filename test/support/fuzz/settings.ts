import { fc } from '@fast-check/vitest';

/** How long each test of random input runs, in seconds. */
export const FUZZ_SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 3);

/** Settings of a property that is tried for {@link FUZZ_SECONDS}; its failure prints the seed that repeats it. */
export const fuzzed = {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: FUZZ_SECONDS * 1_000,
  // shrinking repeats what failed, which may take long each time
  endOnFailure: FUZZ_SECONDS < 30,
  ...(process.env['FUZZ_SEED'] === undefined ? {} : { seed: Number(process.env['FUZZ_SEED']) }),
} as const satisfies fc.Parameters<unknown>;

/** Runs of a property between two looks at the clock. */
const RUNS = 3;

/**
 * Tries a property for {@link FUZZ_SECONDS}, at least {@link RUNS} times, however slow: fast-check's own limit fails a
 * property whose first run takes longer.
 */
export async function fuzz<Values>(property: fc.IAsyncPropertyWithHooks<Values>): Promise<void> {
  const until = Date.now() + FUZZ_SECONDS * 1_000;
  let seed = fuzzed.seed ?? Date.now() % 2 ** 31;
  do {
    await fc.assert(property, { numRuns: RUNS, seed: seed++, endOnFailure: fuzzed.endOnFailure });
  } while (Date.now() < until);
}

/** Enough for the last attempt of a property, and for loading what it needs. */
export const FUZZ_TIMEOUT_MS = FUZZ_SECONDS * 1_000 + 500_000;
