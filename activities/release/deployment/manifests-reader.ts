import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { hasCode } from '../../../platform/error-code.ts';
import { siblingModule } from '../../../platform/sibling-module.ts';
import type { Manifests } from './manifests.ts';
import type { ManifestsThreadTask } from './manifests-thread.ts';

/** What manifests may take to be read. */
export interface ReadingLimits {
  /** @default 120 */
  readonly seconds?: number;
  /** Memory of the thread in megabytes. @default 1000 */
  readonly megabytes?: number;
}

/** Threads of a process: each may have a gigabyte. */
const AT_ONCE = pLimit(2);

/**
 * Reads manifests in a thread of their own: a program of a repository made them, and some texts take a parser hours. This
 * process goes on meanwhile. Manifests that exceed a limit are a problem.
 */
export function readInThread(
  task: ManifestsThreadTask,
  { seconds = 120, megabytes = 1_000 }: ReadingLimits = {},
): Promise<Manifests> {
  return AT_ONCE(
    () =>
      new Promise((resolve, reject) => {
        const refuse = (why: string): void =>
          resolve({ objects: [], problems: [`The ${task.about} ${why}: render fewer or smaller objects.`] });
        const thread = new Worker(new URL(siblingModule(import.meta.url, 'manifests-thread')), {
          workerData: task,
          resourceLimits: { maxOldGenerationSizeMb: megabytes },
        });
        const timer = setTimeout(() => {
          refuse(`take longer than ${seconds} seconds to read`);
          thread.terminate().catch(reject);
        }, seconds * 1_000);
        thread.on('message', resolve);
        thread.on('error', (error) => {
          if (hasCode(error, 'ERR_WORKER_OUT_OF_MEMORY')) refuse(`take more than ${megabytes} megabytes to read`);
          else reject(error);
        });
        thread.on('exit', (code) => {
          clearTimeout(timer);
          reject(new Error(`the thread that reads the ${task.about} ended with ${code}`));
        });
      }),
  );
}
