/** What a benchmark is given. */
export interface BenchContext {
  /** How many measured runs; a benchmark may make more that are not counted, to warm up. */
  readonly runs: number;
  /** An empty folder of the benchmark's own, below the system's temporary folder; removed afterwards. */
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Says what is being done, beside the results. */
  readonly note: (line: string) => void;
}

/** One line of the results: the same thing measured several times. */
export interface Figure {
  readonly what: string;
  readonly unit: 's' | 'ms' | '/s' | '×' | 'count' | 'MB' | '%';
  /** One value a run. */
  readonly values: readonly number[];
  /** What is promised, in words, e.g. `≤ 1.5`. */
  readonly bar?: string;
}

/** A benchmark: what it compares is said in `about`, one sentence. */
export interface Benchmark {
  readonly about: string;
  readonly measure: (context: BenchContext) => Promise<readonly Figure[]>;
}

/** The middle value; of an even number of values the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** A value as the table shows it: whole numbers whole, others with three digits that mean something. */
export function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(Math.abs(value) >= 100 ? 4 : 3);
}

/** How long `work` takes, in seconds, and what it returned. */
export async function timed<Result>(work: () => Promise<Result>): Promise<{ seconds: number; result: Result }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1_000, result };
}

/** What `work` resolves to, unless the signal aborts first: for work that cannot be told to stop. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const done = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}

/** Stops a benchmark whose two sides did not do the same work: its figures would mean nothing. */
export function mustEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)} where ${String(expected)} was expected`);
}
