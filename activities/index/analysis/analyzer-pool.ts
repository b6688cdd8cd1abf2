import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import type { SourceFile } from './analysis.ts';
import type { AnalyzedBatch, ThreadAnswer, ThreadSettings, ThreadTask } from './analyzer-thread.ts';
import { siblingModule } from '../store/endpoint-url.ts';
import { createOpening } from '../store/opening.ts';
import { unpackFailure } from './packed-failure.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';

/** The number of threads. */
export interface PoolSize {
  /** Number of idle threads that stay. @default 1 */
  readonly min?: number;
  /** @default the number of processors */
  readonly max?: number;
}

/** Threads that share the analysis of files. The first starts with the first files. */
export interface AnalyzerPool {
  /** Chunks, stems and embeds files; concatenated, the batches are all files in order. */
  analyze(files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<AnalyzedBatch[]>;
  /** Counts chunks; concatenated, the lists cover all files in order. */
  count(files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<number[][]>;
  /** Rejects tasks in progress and stops the threads. */
  close(): Promise<void>;
}

const IDLE_MS = 30_000;
/** Bytes per task: large enough for a message to pay off, small enough to keep all threads busy to the end. */
const SMALLEST_TASK = 64_000;
const LARGEST_TASK = 512_000;
const TASKS_PER_THREAD = 3;

/** Creates the pool. `close` releases it; threads that are idle for half a minute stop by themselves. */
export function createAnalyzerPool(
  settings: ThreadSettings,
  { min = 1, max = availableParallelism() }: PoolSize = {},
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

  async function run<T>(name: string, files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<T[]> {
    const stop = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
    stop.throwIfAborted();
    const threads = await started.get();
    stop.throwIfAborted();
    const cancelled = new SharedArrayBuffer(4);
    const tasks = portionsOf(files, max).map(async (portion) => {
      const answer: ThreadAnswer<T> = await threads.run({ files: portion, cancelled }, { name });
      if ('failure' in answer) throw unpackFailure(answer.failure);
      if (answer.done === null) throw new Error('the task was cancelled');
      return answer.done;
    });
    try {
      return await untilAborted(stop, Promise.all(tasks));
    } catch (error) {
      // killing a thread would force it to load everything again: it checks this flag between two files
      Atomics.store(new Int32Array(cancelled), 0, 1);
      throw error;
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

function portionsOf(files: readonly SourceFile[], threads: number): SourceFile[][] {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  const fill = Math.min(Math.max(bytes / (threads * TASKS_PER_THREAD), SMALLEST_TASK), LARGEST_TASK);
  const portions: SourceFile[][] = [];
  let room = 0;
  for (const file of files) {
    if (room <= 0) {
      portions.push([]);
      room = fill;
    }
    portions.at(-1)?.push(file);
    room -= file.content.length;
  }
  return portions;
}
