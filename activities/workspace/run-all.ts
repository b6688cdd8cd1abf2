import type { DiskOperation } from '../../domain/workspace/workspace-plan.schema.ts';
import { createSemaphore } from '../../platform/semaphore.ts';
import { lastEntry } from './plan-journal.ts';
import type { PlanSite } from './plan-run.ts';
import { type OperationTools, runOperation } from './run-operation.ts';

/** How often the progress is told while operations run. */
const TELL_MS = 1_000;

/**
 * Does all operations, each after those that it depends on, several in parallel. Begins none after the first failure, which
 * is thrown when all have ended.
 */
export async function runAll(
  run: Omit<OperationTools, 'signal' | 'onStep'>,
  operations: readonly DiskOperation[],
  { parallel = 4, signal: caller, onProgress }: Pick<PlanSite, 'parallel' | 'signal' | 'onProgress'>,
): Promise<void> {
  const { journal } = run.ground;
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(caller === undefined ? [] : [caller])]);
  const semaphore = createSemaphore(parallel);
  const running = new Map<number, { readonly target: string; readonly step: string; readonly since: number }>();
  let done = 0;
  const tell = (): void => {
    const now = performance.now();
    const each = [...running.values()].map(({ target, step, since }) => ({
      target,
      step,
      seconds: Math.round((now - since) / 1_000),
    }));
    onProgress?.({ done, total: operations.length, running: each });
  };
  const timer = setInterval(tell, TELL_MS);
  const ended: Promise<void>[] = [];
  for (const operation of operations) {
    const { index, target, depends_on } = operation;
    const before = depends_on.flatMap((other) => ended[other] ?? []);
    const onStep = (step: string): void => {
      running.set(index, { target, step, since: performance.now() });
      tell();
    };
    const work = async (): Promise<void> => {
      await Promise.all(before);
      const release = await semaphore.acquire(signal);
      try {
        signal.throwIfAborted();
        onStep('');
        if (lastEntry(journal, 'done', index) === null) {
          await runOperation({ ...run, onStep, signal }, operation);
          await journal.append({ type: 'done', operation: index });
        }
        done++;
      } catch (error) {
        failed.abort(error);
        throw error;
      } finally {
        running.delete(index);
        tell();
        release();
      }
    };
    ended.push(work());
  }
  // also those that fail end before anything is undone
  await Promise.allSettled(ended);
  clearInterval(timer);
  signal.throwIfAborted();
}
