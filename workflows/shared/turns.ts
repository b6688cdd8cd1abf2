import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { type Child, isLocked, runLocked } from './child.ts';

/** A run that has the lock tells the first one that waits, and whom else it may tell next. */
const turnSignal = defineSignal<[readonly string[]]>('turn');
const waitingSignal = defineSignal<[string]>('waiting');
const replaceSignal = defineSignal<[string]>('replace');

/** When a flow that waits looks by itself for the first time: the one with the lock may have been ended from outside. */
const LOOK_MS = 60_000;
/** The same for a flow whose turn it is: the one before it has still to end. */
const TURN_MS = 1_000;
const LONGEST_MS = 3_600_000;

/**
 * How long a flow waits until it looks again, in milliseconds, after so many looks. The one with the lock may wait for
 * people for days, and each look adds to the history: looks become less frequent.
 */
export function untilNextLook(looks: number, isItsTurn: boolean): number {
  return Math.min((isItsTurn ? TURN_MS : LOOK_MS) * 2 ** looks, LONGEST_MS);
}

/** How a flow behaves that finds the lock taken. */
export interface TurnRules {
  /** `wait` for its turn, `replace` the run that has the lock, which ends first, or `refuse`. */
  readonly whenTaken: 'wait' | 'replace' | 'refuse';
  /** Called when it begins to wait. */
  readonly onWait: () => void;
}

/** Runs a child that has a lock, when it is the turn of this flow. */
export interface Turns {
  /**
   * Runs the child. Flows take turns in the order in which they came; none is dropped. The child calls
   * {@link takingTurns}. Throws the failure `busy` of the child for the rule `refuse`.
   */
  run<Result>(childFor: (waiting: readonly string[]) => Child, rules: TurnRules): Promise<Result>;
}

/** Called before the first step of a flow. */
export function listenForTurns(): Turns {
  let turns = 0;
  let behind: readonly string[] = [];
  setHandler(
    turnSignal,
    (waiting) => {
      turns++;
      behind = waiting;
    },
    { description: 'The run that had the lock has ended: it is this one’s turn' },
  );
  return {
    async run<Result>(childFor: (waiting: readonly string[]) => Child, { whenTaken, onWait }: TurnRules) {
      const { workflowId } = workflowInfo();
      let isReplacing = whenTaken === 'replace';
      let isItsTurn = false;
      for (let looks = 0; ;) {
        const child = childFor(behind);
        const seen = turns;
        try {
          return await runLocked<Result>(child);
        } catch (error) {
          if (!isLocked(error) || whenTaken === 'refuse') throw error;
        }
        onWait();
        const holder = getExternalWorkflowHandle(child.workflowId);
        try {
          // those behind this one wait at the present holder, too
          for (const each of [workflowId, ...behind]) await holder.signal(waitingSignal, each);
          if (isReplacing) await holder.signal(replaceSignal, workflowId);
          isReplacing = false;
        } catch (error) {
          if (isCancellation(error)) throw error;
          // it has just ended: the lock is free in a moment
          if (!isItsTurn) looks = 0;
          isItsTurn = true;
        }
        if (await condition(() => turns > seen, untilNextLook(looks, isItsTurn))) {
          isItsTurn = true;
          looks = 0;
        } else looks++;
      }
    },
  };
}

/**
 * Does the work of a child that has a lock, for {@link Turns}: it ends the work when another flow replaces it, with the
 * failure `replaced`, and gives the turn on when it has ended, however it ended.
 */
export async function takingTurns<Result>(
  waiting: readonly string[],
  replaced: { readonly type: string; readonly message: string },
  work: () => Promise<Result>,
): Promise<Result> {
  const queue = [...waiting];
  let isReplaced = false;
  const scope = new CancellationScope();
  setHandler(
    waitingSignal,
    (flow) => {
      if (!queue.includes(flow)) queue.push(flow);
    },
    { description: 'A flow that waits for the lock' },
  );
  setHandler(
    replaceSignal,
    (flow) => {
      isReplaced = true;
      log.info('replaced', { by: flow });
      scope.cancel();
    },
    { description: 'A flow that takes the place of this one, which is undone first' },
  );
  try {
    return await scope.run(work);
  } catch (error) {
    if (!isReplaced || !isCancellation(error)) throw error;
    throw ApplicationFailure.nonRetryable(replaced.message, replaced.type);
  } finally {
    await CancellationScope.nonCancellable(() => giveTurnOn(queue));
  }
}

async function giveTurnOn(queue: string[]): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    try {
      await getExternalWorkflowHandle(next).signal(turnSignal, queue);
      return;
    } catch {
      // it has ended: the next one
    }
  }
}
