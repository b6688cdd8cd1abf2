import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { TeardownMode } from '../../domain/workspace/flows/teardown-flow.ts';

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
  /** Moves the end to so many seconds from now. */
  readonly live: (seconds: number) => void;
  /** Waits until `isDone`, a person asks for the end, or the end has come. */
  readonly until: (isDone: () => boolean) => Promise<void>;
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
      description: 'Let the workspace live longer: {"seconds": 3600}',
      validator: (given: Extension): void => {
        if (!(Number.isInteger(given?.seconds) && given.seconds > 0)) throw invalid('seconds: give a whole number.');
      },
    },
  );
  const isOver = (): boolean => endsAt !== null && Date.now() >= endsAt;
  return {
    asked: () => asked,
    endsAt: () => endsAt,
    live: (seconds) => void (endsAt = Date.now() + seconds * 1_000),
    isOver,
    async until(isDone) {
      const isWoken = (): boolean => isDone() || asked !== null;
      while (!isWoken() && !isOver()) {
        const end = endsAt;
        if (end === null) await condition(() => isWoken() || endsAt !== null);
        else
          await condition(() => isWoken() || endsAt !== end, end - Date.now(), { summary: 'until the workspace ends' });
      }
    },
  };
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
