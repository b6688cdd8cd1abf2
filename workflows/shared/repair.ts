import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import {
  type FailedUndo,
  type IncompleteRollback,
  type Repair,
  ROLLBACK_INCOMPLETE,
} from '../../domain/shared/repair.ts';
import { logEvent } from './events.ts';

const repairUpdate = defineUpdate<readonly FailedUndo[], [Repair]>('repair');

/**
 * Handles the update `repair`, which returns the undos that have still failed. The returned function waits for the
 * decisions of people: it calls `tryAgain` until nothing has failed. Throws `RollbackIncomplete` when a person gives up.
 */
export function repairable(): (
  failed: readonly FailedUndo[],
  tryAgain: () => Promise<readonly FailedUndo[]>,
  cause: unknown,
) => Promise<void> {
  let left: readonly FailedUndo[] = [];
  let isWaiting = false;
  let decision: Repair | undefined;
  setHandler(
    repairUpdate,
    async (given: Repair) => {
      decision = given;
      await condition(() => decision === undefined);
      return left;
    },
    {
      description: 'Undo what could not be undone: {"proceed": true} tries again, false ends the flow as it is',
      validator: (given: Repair): void => {
        if (typeof given?.proceed !== 'boolean') throw invalid('proceed: give true or false.');
        if (!isWaiting || decision !== undefined) throw invalid('This run has nothing to repair.');
      },
    },
  );
  return async (failed, tryAgain, cause) => {
    left = failed;
    while (left.length > 0) {
      logEvent('rollback_incomplete', { undos: left });
      isWaiting = true;
      await condition(() => decision !== undefined);
      isWaiting = false;
      const { proceed, by, why }: Repair = decision ?? { proceed: false };
      if (proceed) left = await tryAgain();
      decision = undefined;
      if (!proceed) {
        const given = { ...(by === undefined ? {} : { by }), ...(why === undefined ? {} : { why }) };
        throw incomplete({ undos: left, ...given }, cause);
      }
    }
  };
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}

function incomplete(left: IncompleteRollback, cause: unknown): ApplicationFailure {
  const list = left.undos.map(({ undo, error }) => `${undo}: ${error}`).join('; ');
  return ApplicationFailure.create({
    type: ROLLBACK_INCOMPLETE,
    message: `Not everything could be undone: ${list}`.slice(0, 1_000),
    nonRetryable: true,
    details: [left],
    ...(cause instanceof Error ? { cause } : {}),
  });
}
