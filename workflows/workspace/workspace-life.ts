import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { TeardownMode } from '../../domain/workspace/flows/teardown-flow.ts';
import { LATEST_END_SECONDS, LONGEST_TTL_SECONDS } from '../../domain/workspace/time-to-live.ts';

/** The argument of the update `end`. */
interface AskedEnd {
  readonly mode: TeardownMode;
  readonly by?: string;
}

/** The argument of the update `extend`. */
interface Extension {
  readonly seconds: number;
}

const endUpdate = defineUpdate<void, [AskedEnd]>('end');
const extendUpdate = defineUpdate<string | null, [Extension]>('extend');

/** When and how a workspace ends. */
export interface WorkspaceLife {
  /** The end that a person has asked for; null for none. */
  readonly asked: () => { readonly mode: TeardownMode; readonly by: string } | null;
  /** Milliseconds since 1970; null for no end. */
  readonly endsAt: () => number | null;
  /** Moves the end to so many seconds from now; null for no end. What a person has asked for is over. */
  readonly live: (seconds: number | null) => void;
  /**
   * The result of some work; null when the workspace shall end first, as a person asks or because its time is over. Then
   * the work is cancelled, and has ended, however it did: how the workspace ends does not depend on it.
   */
  readonly unlessOver: <Result>(work: () => Promise<Result>) => Promise<Result | null>;
  /** True when the end has come. */
  readonly isOver: () => boolean;
}

/**
 * Handles the updates `end` and `extend`. `extend` adds to the end and returns it, ISO 8601; null for a workspace that lives as
 * long as it is needed. Call it before the first await of the flow.
 */
export function workspaceLife(endsFirst: number | null): WorkspaceLife {
  let endsAt = endsFirst;
  let asked: { readonly mode: TeardownMode; readonly by: string } | null = null;
  setHandler(endUpdate, ({ mode, by = 'unknown' }) => void (asked ??= { mode, by }), {
    description: 'End the workspace: {"mode": "clean", "detach" or "preserve", "by": "name"}',
    validator: (given: AskedEnd): void => {
      if (!['clean', 'detach', 'preserve'].includes(given?.mode))
        throw invalid('mode: give clean, detach or preserve.');
    },
  });
  setHandler(
    extendUpdate,
    ({ seconds }) => {
      if (endsAt !== null) endsAt += seconds * 1_000;
      return endsAt === null ? null : new Date(endsAt).toISOString();
    },
    {
      description: 'Let the workspace live longer: {"seconds": 3600}, at most a year at a time',
      validator: (given: Extension): void => {
        const seconds = given?.seconds;
        if (!(Number.isInteger(seconds) && seconds > 0 && seconds <= LONGEST_TTL_SECONDS))
          throw invalid(`seconds: give a whole number from 1 to ${LONGEST_TTL_SECONDS}.`);
        const latest = Date.now() + LATEST_END_SECONDS * 1_000;
        if (endsAt !== null && endsAt + seconds * 1_000 > latest)
          throw invalid(
            `seconds: the workspace would end after ${new Date(latest).toISOString()}, ten years from now.`,
          );
      },
    },
  );
  const isOver = (): boolean => endsAt !== null && Date.now() >= endsAt;

  /** Waits until `isDone`, a person asks for the end, or the end has come. */
  async function until(isDone: () => boolean): Promise<void> {
    const isWoken = (): boolean => isDone() || asked !== null;
    while (!isWoken() && !isOver()) {
      const end = endsAt;
      if (end === null) await condition(() => isWoken() || endsAt !== null);
      else
        await condition(() => isWoken() || endsAt !== end, end - Date.now(), { summary: 'until the workspace ends' });
    }
  }

  return {
    asked: () => asked,
    endsAt: () => endsAt,
    live(seconds) {
      endsAt = seconds === null ? null : Date.now() + seconds * 1_000;
      asked = null;
    },
    isOver,
    async unlessOver(work) {
      const scope = new CancellationScope();
      let isDone = false;
      const working = scope.run(work).finally(() => (isDone = true));
      working.catch(() => undefined);
      await until(() => isDone);
      if (isDone) return working;
      scope.cancel();
      try {
        await working;
      } catch (error) {
        if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
      }
      return null;
    },
  };
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
