import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import type { FileFault, SourceFile } from './analysis.ts';
import type { AnalyzedBatch, ThreadAnswer, ThreadSettings, ThreadTask } from './analyzer-thread.ts';
import { siblingModule } from '../../../platform/sibling-module.ts';
import { createOpening } from '../store/opening.ts';
import { packFailure, unpackFailure } from './packed-failure.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';

/** The number of threads, and how long they may take. */
export interface PoolSize {
  /** Number of idle threads that stay. @default 1 */
  readonly min?: number;
  /** @default the number of processors */
  readonly max?: number;
  /**
   * Milliseconds that a thread may work on one file before it is replaced; the parser has its own, shorter limit.
   * @default two minutes
   */
  readonly fileTimeoutMs?: number;
}

/** The results of the portions of a list of files, in order. */
export interface PoolAnswer<T> {
  readonly done: T[];
  readonly faults: readonly FileFault[];
}

/**
 * Threads that share the analysis of files. The first starts with the first files. A file that stops a thread (it does
 * not end, or takes all memory) costs the thread, which is replaced, and its own syntax.
 */
export interface AnalyzerPool {
  /** Chunks, stems and embeds files; concatenated, the batches are all files in order. */
  analyze(files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<PoolAnswer<AnalyzedBatch>>;
  /** Counts chunks; concatenated, the lists cover all files in order. */
  count(files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<PoolAnswer<number[]>>;
  /** Rejects tasks in progress and stops the threads. */
  close(): Promise<void>;
}

const IDLE_MS = 30_000;
/** Bytes per task: large enough for a message to pay off, small enough to keep all threads busy to the end. */
const SMALLEST_TASK = 64_000;
const LARGEST_TASK = 512_000;
const TASKS_PER_THREAD = 3;
const FILE_TIMEOUT_MS = 120_000;
/** How often it is checked whether a thread still works on the same file, in each such time. */
const CHECKS = 8;

/** Creates the pool. `close` releases it; threads that are idle for half a minute stop by themselves. */
export function createAnalyzerPool(
  settings: ThreadSettings,
  { min = 1, max = availableParallelism(), fileTimeoutMs = FILE_TIMEOUT_MS }: PoolSize = {},
): AnalyzerPool {
  const closing = new AbortController();
  const started = createOpening(start);

  async function start(): Promise<Piscina<ThreadTask, ThreadAnswer<never>>> {
    const { Piscina } = await import('piscina');
    return new Piscina<ThreadTask, ThreadAnswer<never>>({
      filename: siblingModule(import.meta.url, 'analyzer-thread'),
      minThreads: Math.min(min, max),
      maxThreads: max,
      idleTimeout: IDLE_MS,
      workerData: settings,
      // a thread must collect its garbage long before memory is full
      resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 },
    });
  }

  async function run<T>(
    name: string,
    files: readonly SourceFile[],
    signal: AbortSignal | undefined,
  ): Promise<PoolAnswer<T>> {
    const stop = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
    stop.throwIfAborted();
    const threads = await started.get();
    stop.throwIfAborted();
    const cancelled = new SharedArrayBuffer(4);
    const tasks = portionsOf(files, max).map(({ from, portion }) =>
      runPortion<T>({ name, from, portion, cancelled, threads, stop }),
    );
    try {
      const answers = await untilAborted(stop, Promise.all(tasks));
      return { done: answers.flatMap(({ done }) => done), faults: answers.flatMap(({ faults }) => faults) };
    } catch (error) {
      // killing a thread would force it to load everything again: it checks this flag between two files
      Atomics.store(new Int32Array(cancelled), 0, 1);
      throw error;
    }
  }

  /** Runs a portion, again without the syntax of a file that stopped its thread, or without the file. */
  async function runPortion<T>({ name, from, portion, cancelled, threads, stop }: PortionRun): Promise<PoolAnswer<T>> {
    const stops = portion.map(() => 0);
    const stopped: FileFault[] = [];
    for (;;) {
      const current = new SharedArrayBuffer(4);
      const watch = watchFiles(current, fileTimeoutMs);
      try {
        const task: ThreadTask = { files: portion, stops, cancelled, current };
        const answer: ThreadAnswer<T> = await threads.run(task, { name, signal: watch.signal });
        if ('failure' in answer) throw unpackFailure(answer.failure);
        if (answer.done === null) throw new Error('the task was cancelled');
        const faults = answer.faults.map(({ file, reason }) => ({ file: from + file, reason }));
        return { done: [answer.done], faults: [...stopped, ...faults] };
      } catch (error) {
        const file = Atomics.load(new Int32Array(current), 0) - 1;
        const before = stops[file];
        if (stop.aborted || before === undefined || before > 1) throw error;
        stops[file] = before + 1;
        const reason = watch.signal.aborted ? `it took longer than ${fileTimeoutMs} ms` : packFailure(error).message;
        stopped.push({ file: from + file, reason });
      } finally {
        watch.end();
      }
    }
  }

  return {
    analyze: (files, signal) => run('analyze', files, signal),
    count: (files, signal) => run('count', files, signal),
    async close() {
      closing.abort(new Error('the analyzer was closed'));
      await (await started.current())?.close();
    },
  };
}

interface PortionRun {
  readonly name: string;
  /** Index of its first file in the whole list. */
  readonly from: number;
  readonly portion: readonly SourceFile[];
  readonly cancelled: SharedArrayBuffer;
  readonly threads: Piscina<ThreadTask, ThreadAnswer<never>>;
  readonly stop: AbortSignal;
}

/**
 * A signal that aborts when the thread works on the same file for `limit` milliseconds. Checks are counted rather than
 * time: a process that was suspended meanwhile did not check.
 */
function watchFiles(current: SharedArrayBuffer, limit: number): { readonly signal: AbortSignal; end(): void } {
  const overdue = new AbortController();
  const working = new Int32Array(current);
  let last = 0;
  let checks = 0;
  const timer = setInterval(() => {
    const file = Atomics.load(working, 0);
    checks = file === last && file !== 0 ? checks + 1 : 0;
    last = file;
    if (checks >= CHECKS) overdue.abort();
  }, limit / CHECKS);
  timer.unref();
  return { signal: overdue.signal, end: () => clearInterval(timer) };
}

function portionsOf(files: readonly SourceFile[], threads: number): { from: number; portion: SourceFile[] }[] {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  const fill = Math.min(Math.max(bytes / (threads * TASKS_PER_THREAD), SMALLEST_TASK), LARGEST_TASK);
  const portions: { from: number; portion: SourceFile[] }[] = [];
  let room = 0;
  for (const [from, file] of files.entries()) {
    if (room <= 0) {
      portions.push({ from, portion: [] });
      room = fill;
    }
    portions.at(-1)?.portion.push(file);
    room -= file.content.length;
  }
  return portions;
}
