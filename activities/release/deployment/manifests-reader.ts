import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { hasCode } from '../../../platform/error-code.ts';
import { siblingModule } from '../../../platform/sibling-module.ts';
import type { Manifests } from './manifests.ts';
import type { ManifestsThreadTask } from './manifests-thread.ts';

/** What manifests may take to be read. */
export interface ReadingLimits {
  /** Of the manifests of one service. @default 120 */
  readonly seconds?: number;
  /** Of all services together. @default 600 */
  readonly allSeconds?: number;
  /** Memory of the thread in megabytes. @default 1000 */
  readonly megabytes?: number;
}

/** Reads the manifests of one service after the other. Those that exceed a limit are a problem. */
export type ReadManifests = (task: ManifestsThreadTask) => Promise<Manifests>;

/** Threads of a process: each may have a gigabyte. */
const AT_ONCE = pLimit(2);

/**
 * Work that reads manifests in a thread of its own: a program of a repository made them, and some texts take a parser
 * hours. This process goes on meanwhile. An abort ends what is read.
 */
export function withManifestsReader<Result>(
  signal: AbortSignal,
  work: (read: ReadManifests) => Promise<Result>,
  { seconds = 120, allSeconds = 600, megabytes = 1_000 }: ReadingLimits = {},
): Promise<Result> {
  return AT_ONCE(async () => {
    signal.throwIfAborted();
    const until = Date.now() + allSeconds * 1_000;
    // a thread takes longer to start than to read most manifests: one reads all of them, until it is ended
    let thread: Worker | null = null;
    const end = async (): Promise<void> => {
      const ended = thread;
      thread = null;
      await ended?.terminate();
    };
    const start = (): Worker => {
      const started = new Worker(new URL(siblingModule(import.meta.url, 'manifests-thread')), {
        resourceLimits: { maxOldGenerationSizeMb: megabytes },
      });
      // one that fails while nothing is read must not end this process
      started.on('error', () => undefined);
      started.once('exit', () => {
        if (thread === started) thread = null;
      });
      return started;
    };
    const read: ReadManifests = async (task) => {
      const left = until - Date.now();
      const refused = async (why: string): Promise<Manifests> => {
        await end();
        return { objects: [], problems: [`The ${task.about} ${why}: render fewer or smaller objects.`] };
      };
      if (left <= 0) return refused(`are not read: those before them took ${allSeconds} seconds`);
      const reading = (thread ??= start());
      const over = new AbortController();
      const abort = (): void => over.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        signal.throwIfAborted();
        // rejects when the thread fails
        const answered = once(reading, 'message', { signal: over.signal }) as Promise<[Manifests]>;
        const ended = once(reading, 'exit', { signal: over.signal }).then(() => {
          throw new Error(`the thread that reads the ${task.about} has ended`);
        });
        reading.postMessage(task, []);
        const most = Math.min(seconds * 1_000, left);
        const answer = await Promise.race([answered, ended, pause(most, null, { signal: over.signal })]);
        return answer === null ? await refused(`take longer than ${most / 1_000} seconds to read`) : answer[0];
      } catch (error) {
        signal.throwIfAborted();
        if (hasCode(error, 'ERR_WORKER_OUT_OF_MEMORY')) {
          return await refused(`take more than ${megabytes} megabytes to read`);
        }
        await end();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
        over.abort();
      }
    };
    try {
      return await work(read);
    } finally {
      await end();
    }
  });
}
