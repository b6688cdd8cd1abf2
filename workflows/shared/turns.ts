import type { SignalDefinition } from '@temporalio/common';
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
/** A run that had the lock tells those that waited before a flow that replaces them. */
const replacedSignal = defineSignal<[string]>('replaced');

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

/** The failure of a flow whose place a newer one takes. */
export interface Replaced {
  readonly type: string;
  readonly message: string;
}

/** How a flow behaves that finds the lock taken. */
export interface TurnRules {
  /** `wait` for its turn, `replace` the run that has the lock, which ends first, and those that wait, or `refuse`. */
  readonly whenTaken: 'wait' | 'replace' | 'refuse';
  /** The failure when a newer flow replaces this one while it waits. */
  readonly replaced: Replaced;
  /** Called when it begins to wait. */
  readonly onWait: () => void;
}

/** Runs a child that has a lock, when it is the turn of this flow. */
export interface Turns {
  /**
   * Runs the child. Flows take turns in the order in which they came; none is dropped. One that replaces comes next, and
   * those that waited before it end with the failure `replaced`. The child calls {@link takingTurns}. Throws the failure
   * `busy` of the child for the rule `refuse`.
   */
  run<Result>(childFor: (waiting: readonly string[]) => Child, rules: TurnRules): Promise<Result>;
}

/** Called before the first step of a flow. */
export function listenForTurns(): Turns {
  let turns = 0;
  let behind: readonly string[] = [];
  let isReplaced = false;
  setHandler(
    replacedSignal,
    (flow) => {
      isReplaced = true;
      log.info('replaced', { by: flow });
    },
    { description: 'A newer flow has taken the place of this one, which waits' },
  );
  setHandler(
    turnSignal,
    (waiting) => {
      turns++;
      behind = waiting;
    },
    { description: 'The run that had the lock has ended: it is this one’s turn' },
  );
  return {
    async run<Result>(childFor: (waiting: readonly string[]) => Child, { whenTaken, replaced, onWait }: TurnRules) {
      const { workflowId } = workflowInfo();
      let isItsTurn = false;
      for (let looks = 0; ;) {
        if (isReplaced) throw failureOf(replaced);
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
          // each one that has the lock meanwhile; what comes after its turn is newer
          if (whenTaken === 'replace' && turns === 0) await holder.signal(replaceSignal, workflowId);
        } catch (error) {
          if (isCancellation(error)) throw error;
          // it has just ended: the lock is free in a moment
          if (!isItsTurn) looks = 0;
          isItsTurn = true;
        }
        if (await condition(() => turns > seen || isReplaced, untilNextLook(looks, isItsTurn))) {
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
  replaced: Replaced,
  work: () => Promise<Result>,
): Promise<Result> {
  const queue = [...waiting];
  const replacing: string[] = [];
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
      if (replacing.includes(flow)) return;
      replacing.push(flow);
      log.info('replaced', { by: flow });
      scope.cancel();
    },
    { description: 'A flow that takes the place of this one, which is undone first' },
  );
  try {
    return await scope.run(work);
  } catch (error) {
    if (replacing.length === 0 || !isCancellation(error)) throw error;
    throw failureOf(replaced);
  } finally {
    await CancellationScope.nonCancellable(() => giveTurnOn(queue, replacing));
  }
}

function failureOf({ type, message }: Replaced): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Those that wait, when the lock becomes free. */
export interface NextTurn {
  /** Undefined when none waits. */
  readonly next: string | undefined;
  /** Those whose place it takes. */
  readonly replaced: readonly string[];
  readonly behind: readonly string[];
}

/** Whose turn it is: that of the newest flow that replaces, or the first one where none does. */
export function nextTurn(queue: readonly string[], replacing: readonly string[]): NextTurn {
  const at = Math.max(
    0,
    queue.findLastIndex((flow) => replacing.includes(flow)),
  );
  return { next: queue[at], replaced: queue.slice(0, at), behind: queue.slice(at + 1) };
}

async function giveTurnOn(queue: readonly string[], replacing: readonly string[]): Promise<void> {
  for (let left = queue; ;) {
    const { next, replaced, behind } = nextTurn(left, replacing);
    if (next === undefined) return;
    if (await isSignalled(next, turnSignal, behind)) {
      // the lock is not free yet: none of them has taken it
      for (const flow of replaced) await isSignalled(flow, replacedSignal, next);
      return;
    }
    left = [...replaced, ...behind];
  }
}

/** False for a flow that has ended. */
async function isSignalled<Arg>(flow: string, signal: SignalDefinition<[Arg]>, arg: Arg): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(flow).signal(signal, arg);
    return true;
  } catch {
    return false;
  }
}
