import { workflowInfo } from '@temporalio/workflow';
import { type FleetResult, type FleetStatus, NEW_FLEET } from '../../domain/fleet/fleet.ts';

/** The state that a fleet flow passes from one run to the next; `Counters` are the wing's counts. Plain JSON. */
export interface FleetState<Counters extends object> {
  /** Where the next page starts; null for the first. */
  readonly after: string | null;
  /** Digest of the stored plan that has the next page; missing for the first page. */
  readonly plan?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly status: FleetStatus;
  readonly counters: Counters;
  /** For each repository that failed in the schedule's previous run, the number of consecutive failed runs. */
  readonly failedBefore: Readonly<Record<string, number>>;
}

/** The input of a fleet flow, from a person or from the previous run. */
export interface FleetStart<Counters extends object> {
  /** The input as given, not yet checked. */
  readonly given: unknown;
  readonly state: FleetState<Counters>;
}

/** Takes the state of the previous run out of an input; a first run has none. `zero`: the counters at the start. */
export function fleetStart<Counters extends object>(input: unknown, zero: Counters): FleetStart<Counters> {
  const { continuedFromExecutionRunId, startTime, lastResult } = workflowInfo();
  const fresh = { after: null, failedBefore: failedIn(lastResult), status: NEW_FLEET, counters: zero };
  const isContinued = typeof input === 'object' && input !== null && 'continued' in input;
  // a cron or retried run also continues another one, but gets no state from it
  if (continuedFromExecutionRunId === undefined || !isContinued) {
    return { given: input, state: { ...fresh, startedAt: startTime.getTime() } };
  }
  const { continued, ...given } = input as { continued: Continued<Counters> };
  const { progress, status = progress, counters = countersIn(progress, zero), ...rest } = continued;
  // the previous run may be of a version with fewer counters
  return {
    given,
    state: { ...fresh, ...rest, status: { ...NEW_FLEET, ...status }, counters: { ...zero, ...counters } },
  };
}

/** The state as any version writes it: up to 0.4.0 status and counters were one object. */
type Continued<Counters extends object> = Omit<FleetState<Counters>, 'status' | 'counters'> & {
  readonly status?: FleetStatus;
  readonly counters?: Counters;
  readonly progress?: FleetStatus & Counters;
};

function countersIn<Counters extends object>(progress: Counters | undefined, zero: Counters): Counters {
  const counted = Object.entries(progress ?? {}).filter(([name]) => name in zero);
  return { ...zero, ...Object.fromEntries(counted) };
}

/** What failed in the schedule's previous run, whose result Temporal passes on: a result of any version. */
function failedIn(lastResult: unknown): Readonly<Record<string, number>> {
  const { failures = [] } = (lastResult ?? {}) as Partial<FleetResult>;
  return Object.fromEntries(failures.map(({ repository, inARow = 1 }) => [repository, inARow]));
}
