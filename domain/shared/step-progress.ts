import type { FlowProgress } from './progress.ts';

/** How many running steps are named. */
const STEPS_NAMED = 5;

/** An activity or a child of a flow. */
export interface RunningStep {
  /** Its summary in the Temporal UI, or its type. */
  readonly name: string;
  /** Workflow id of a child. */
  readonly child?: string;
}

/** The steps of a flow: what its history shows, whatever the flow does. */
export interface FlowSteps {
  /** Steps that began, with those that ended. */
  readonly begun: number;
  readonly running: readonly RunningStep[];
  /** The reasons of its running timers. */
  readonly pauses: readonly string[];
  /** How the flow ended; null while it runs. */
  readonly outcome: 'done' | 'failed' | 'cancelled' | 'continued as new' | null;
}

/** The progress of a flow that answers with nothing better: its steps. `total` grows with every step that begins. */
export function stepProgress({ begun, running, pauses, outcome }: FlowSteps): FlowProgress {
  const names = running.slice(0, STEPS_NAMED).map(({ name }) => name);
  const more = running.length - names.length;
  const [first, ...others] = running;
  return {
    stage: outcome ?? (first === undefined ? (begun === 0 ? 'starting' : 'waiting') : 'working'),
    done: begun - running.length,
    total: begun,
    unit: 'steps',
    lines: [...names, ...(more > 0 ? [`and ${more} more`] : []), ...pauses],
    asks: null,
    ...(first?.child === undefined || others.length > 0 ? {} : { child: first.child }),
  };
}
