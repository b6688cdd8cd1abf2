import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { siblingModule } from '../../../platform/sibling-module.ts';
import { unpackFailure } from '../analysis/packed-failure.ts';
import type { RescorerAnswer, RescorerTask, RescorerThreadSettings } from './rescorer-thread.ts';
import { IN_NATIVE_CODE, IS_ENDING } from './thread-state.ts';

/** How long the process may take to exit until native code returns: opening a model on a busy machine. */
const LONGEST_EXIT_MS = 10_000;

/**
 * A transformer in a thread, because opening and running one block the thread that does it. The process may exit at any
 * time: it waits until the thread is out of native code.
 */
export interface ThreadedTransformer {
  /**
   * One vector of length 1 per sequence of token ids, in order. Throws `InvalidConfiguration` when the transformer
   * cannot be used. A thread that ended is replaced by the next call.
   */
  embed(sequences: readonly (readonly number[])[]): Promise<readonly Float32Array[]>;
  /** Rejects calls in progress. Resolves when the thread has finished what it is doing, and ended. */
  close(): Promise<void>;
}

interface Call {
  readonly resolve: (vectors: readonly Float32Array[]) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the thread, which begins to open the transformer immediately. */
export function startTransformer(settings: Omit<RescorerThreadSettings, 'state'>): ThreadedTransformer {
  const state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const waiting = new Map<number, Call>();
  let asked = 0;
  let isClosed = false;
  let thread: Worker | null = start();

  function start(): Worker {
    const started = new Worker(new URL(siblingModule(import.meta.url, 'rescorer-thread')), {
      workerData: { ...settings, state } satisfies RescorerThreadSettings,
    });
    process.on('exit', leaveNativeCode);
    started.on('message', (answer: RescorerAnswer) => {
      const call = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('vectors' in answer) call?.resolve(answer.vectors);
      else call?.reject(unpackFailure(answer.failure));
    });
    started.on('error', rejectAll);
    started.on('exit', () => {
      thread = null;
      // a thread that was killed did not return from it
      Atomics.store(state, IN_NATIVE_CODE, 0);
      process.off('exit', leaveNativeCode);
      rejectAll(new Error('the thread of the transformer ended'));
    });
    return started;
  }

  /** Blocks, as nothing asynchronous happens in a process that exits. Node terminates the thread afterwards. */
  function leaveNativeCode(): void {
    Atomics.store(state, IS_ENDING, 1);
    const latest = performance.now() + LONGEST_EXIT_MS;
    for (let calls = 1; calls > 0 && performance.now() < latest;) {
      calls = Atomics.load(state, IN_NATIVE_CODE);
      if (calls > 0) Atomics.wait(state, IN_NATIVE_CODE, calls, latest - performance.now());
    }
  }

  function rejectAll(error: Error): void {
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
  }

  return {
    embed(sequences) {
      if (isClosed) return Promise.reject(new Error('the transformer is closed'));
      const task: RescorerTask = { id: asked++, sequences };
      return new Promise((resolve, reject) => {
        waiting.set(task.id, { resolve, reject });
        thread ??= start();
        thread.postMessage(task, []);
      });
    },
    async close() {
      isClosed = true;
      rejectAll(new Error('the transformer is closed'));
      if (thread === null) return;
      Atomics.store(state, IS_ENDING, 1);
      // not terminated: native code that is interrupted aborts the whole process
      const ended = once(thread, 'exit');
      thread.postMessage(null, []);
      await ended;
    },
  };
}
