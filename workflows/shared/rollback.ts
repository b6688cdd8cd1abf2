import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { FailedUndo } from '../../domain/shared/repair.ts';
import { failureOf } from './failure.ts';
import { repairable } from './repair.ts';

/** The undos of a flow, in the order of its steps. */
export interface Rollback {
  /**
   * Registers an undo. Call it *before* the step, which may do its work and lose its answer: the undo must also succeed
   * when the step did nothing.
   */
  before(undo: string, run: () => Promise<unknown>): void;
  /** The point of no return: from here on nothing is undone. */
  forget(): void;
}

/**
 * Runs the steps of a flow. When one fails, or the flow is cancelled, runs the registered undos in reverse order, each of
 * them, even if others fail; a cancellation does not stop them. Then throws the failure of the step.
 *
 * If undos failed, the flow stays open, and keeps its workflow id as a lock, until the update `repair` has tried them
 * again with success, or a person has given up: then it fails with `RollbackIncomplete`, whose cause is the failure of
 * the step. The flow declares `rollbackUpdates`, and calls this before its first step.
 */
export async function withRollback<Result>(
  work: (rollback: Rollback) => Promise<Result>,
  {
    whenIncomplete,
  }: {
    /** Called each time before the flow waits for a person, with the undos that failed. It must not reject. @default nothing */
    readonly whenIncomplete?: (failed: readonly FailedUndo[]) => Promise<void>;
  } = {},
): Promise<Result> {
  const undos: { readonly undo: string; readonly run: () => Promise<unknown> }[] = [];
  const repaired = repairable();

  /** Runs the undos. Those that failed stay registered. */
  const undoAll = async (): Promise<readonly FailedUndo[]> => {
    const failed: FailedUndo[] = [];
    for (const step of undos.splice(0).toReversed()) {
      try {
        await step.run();
      } catch (error) {
        failed.unshift({ undo: step.undo, ...failureOf(error) });
        undos.unshift(step);
      }
    }
    return failed;
  };

  try {
    return await work({
      before: (undo, run) => void undos.push({ undo, run }),
      forget: () => void undos.splice(0),
    });
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      try {
        const tryAll = async (): Promise<readonly FailedUndo[]> => {
          const failed = await undoAll();
          if (failed.length > 0) await whenIncomplete?.(failed);
          return failed;
        };
        await repaired(await tryAll(), tryAll, error);
      } finally {
        // the person who repaired gets an answer
        await condition(allHandlersFinished);
      }
    });
    throw error;
  }
}
