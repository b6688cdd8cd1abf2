/** The context of a benchmark. */
export interface BenchContext {
  /** Number of measured runs; a benchmark may make further ones as warm-up. */
  readonly runs: number;
  /** An empty folder for the benchmark, in the system's temporary folder; removed afterwards. */
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Prints progress, separate from the results. */
  readonly note: (line: string) => void;
}

/** One line of the results: a quantity measured several times. */
export interface Figure {
  readonly what: string;
  readonly unit: 's' | 'ms' | '/s' | '×' | 'count' | 'MB' | '%';
  /** One value per run. */
  readonly values: readonly number[];
  /** The requirement as text, e.g. `≤ 1.5`. */
  readonly bar?: string;
}

/** A benchmark; `about` says in one sentence what it compares. */
export interface Benchmark {
  readonly about: string;
  readonly measure: (context: BenchContext) => Promise<readonly Figure[]>;
}

/** The middle value; for an even number of values the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** A value for the table: whole numbers as they are, others with three significant digits. */
export function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(Math.abs(value) >= 100 ? 4 : 3);
}

/** The duration of `work` in seconds, and its result. */
export async function timed<Result>(work: () => Promise<Result>): Promise<{ seconds: number; result: Result }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1_000, result };
}

/** Fails a benchmark whose two sides did different work: its figures would be meaningless. */
export function mustEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)}, expected ${String(expected)}`);
}
