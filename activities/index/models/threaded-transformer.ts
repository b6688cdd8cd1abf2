import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { siblingModule } from '../../../platform/sibling-module.ts';
import { unpackFailure } from '../analysis/packed-failure.ts';
import type { RescorerAnswer, RescorerTask, RescorerThreadSettings } from './rescorer-thread.ts';

/** A transformer in a thread, because opening and running one block the thread that does it. */
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
export function startTransformer(settings: RescorerThreadSettings): ThreadedTransformer {
  const waiting = new Map<number, Call>();
  let asked = 0;
  let isClosed = false;
  let thread: Worker | null = start();

  function start(): Worker {
    const started = new Worker(new URL(siblingModule(import.meta.url, 'rescorer-thread')), { workerData: settings });
    started.on('message', (answer: RescorerAnswer) => {
      const call = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('vectors' in answer) call?.resolve(answer.vectors);
      else call?.reject(unpackFailure(answer.failure));
    });
    started.on('error', rejectAll);
    started.on('exit', () => {
      thread = null;
      rejectAll(new Error('the thread of the transformer ended'));
    });
    return started;
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
      // not terminated: native code that is interrupted aborts the whole process
      const ended = once(thread, 'exit');
      thread.postMessage(null, []);
      await ended;
    },
  };
}
