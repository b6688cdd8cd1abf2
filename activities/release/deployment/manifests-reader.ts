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
  /** Memory of the thread in megabytes. @default 1000 */
  readonly megabytes?: number;
}

/** Reads the manifests of one service after the other. Those that exceed a limit are a problem. */
export type ReadManifests = (task: ManifestsThreadTask) => Promise<Manifests>;

/** Threads of a process: each may have a gigabyte. */
const AT_ONCE = pLimit(2);

function startThread(megabytes: number): Worker {
  const thread = new Worker(new URL(siblingModule(import.meta.url, 'manifests-thread')), {
    resourceLimits: { maxOldGenerationSizeMb: megabytes },
  });
  // while nothing is read, its failure must not end this process: the next read sees that it has ended
  thread.on('error', () => undefined);
  return thread;
}

/**
 * Work that reads manifests in a thread of its own: a program of a repository made them, and some texts take a parser
 * hours. This process goes on meanwhile.
 */
export function withManifestsReader<Result>(
  work: (read: ReadManifests) => Promise<Result>,
  { seconds = 120, megabytes = 1_000 }: ReadingLimits = {},
): Promise<Result> {
  return AT_ONCE(async () => {
    // a thread takes longer to start than to read most manifests: one reads all of them, until it is ended
    let thread: Worker | null = null;
    const end = async (): Promise<void> => {
      const ended = thread;
      thread = null;
      await ended?.terminate();
    };
    const read: ReadManifests = async (task) => {
      thread ??= startThread(megabytes);
      const reading = thread;
      const refused = async (why: string): Promise<Manifests> => {
        await end();
        return { objects: [], problems: [`The ${task.about} ${why}: render fewer or smaller objects.`] };
      };
      const over = new AbortController();
      try {
        // rejects when the thread fails
        const answered = once(reading, 'message', { signal: over.signal }) as Promise<[Manifests]>;
        const ended = once(reading, 'exit', { signal: over.signal }).then(() => {
          throw new Error(`the thread that reads the ${task.about} has ended`);
        });
        reading.postMessage(task, []);
        const answer = await Promise.race([answered, ended, pause(seconds * 1_000, null, { signal: over.signal })]);
        return answer === null ? await refused(`take longer than ${seconds} seconds to read`) : answer[0];
      } catch (error) {
        if (hasCode(error, 'ERR_WORKER_OUT_OF_MEMORY')) {
          return await refused(`take more than ${megabytes} megabytes to read`);
        }
        await end();
        throw error;
      } finally {
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
