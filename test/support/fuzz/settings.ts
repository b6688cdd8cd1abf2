/** How long each test of random input runs, in seconds. */
export const FUZZ_SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 3);

/** Settings of a property that is tried for {@link FUZZ_SECONDS}; its failure prints the seed that repeats it. */
export const fuzzed = {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: FUZZ_SECONDS * 1_000,
  // shrinking repeats what failed, which may take long each time
  endOnFailure: FUZZ_SECONDS < 30,
  ...(process.env['FUZZ_SEED'] === undefined ? {} : { seed: Number(process.env['FUZZ_SEED']) }),
};

/** Enough for the last attempt of a property, and for loading what it needs. */
export const FUZZ_TIMEOUT_MS = FUZZ_SECONDS * 1_000 + 500_000;
