import { workflowInfo } from '@temporalio/workflow';
import { type FleetResult, type FleetStatus, NEW_FLEET } from '../../domain/fleet/fleet.ts';

/** What a fleet flow carries from one run to the next; `Counters` is what the wing counts. Plain JSON. */
export interface FleetState<Counters extends object> {
  /** Where the next page starts; null for the first. */
  readonly after: string | null;
  /** Digest of the stored plan that the next page is cut from; missing for the first page. */
  readonly plan?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly status: FleetStatus;
  readonly counters: Counters;
  /** Consecutive failed runs of each repository that failed in the schedule's run before. */
  readonly failedBefore: Readonly<Record<string, number>>;
}

/** What a fleet flow is started with, by a person or by the run before it. */
export interface FleetStart<Counters extends object> {
  /** The input as it was given, to be checked. */
  readonly given: unknown;
  readonly state: FleetState<Counters>;
}

/** Takes the state of the run before out of an input; in a first run everything is a person's input. `zero`: nothing counted. */
export function fleetStart<Counters extends object>(input: unknown, zero: Counters): FleetStart<Counters> {
  const { continuedFromExecutionRunId, startTime, lastResult } = workflowInfo();
  const fresh = { after: null, failedBefore: failedIn(lastResult), status: NEW_FLEET, counters: zero };
  const isContinued = typeof input === 'object' && input !== null && 'continued' in input;
  // a cron or retried run also has one before it, but nothing of its state
  if (continuedFromExecutionRunId === undefined || !isContinued) {
    return { given: input, state: { ...fresh, startedAt: startTime.getTime() } };
  }
  const { continued, ...given } = input as { continued: Continued<Counters> };
  const { progress, status = progress, counters = countersIn(progress, zero), ...rest } = continued;
  // a run before this one may have been of a version that counted less
  return {
    given,
    state: { ...fresh, ...rest, status: { ...NEW_FLEET, ...status }, counters: { ...zero, ...counters } },
  };
}

/** A state as any version wrote it: up to 0.4.0 status and counters were one object. */
type Continued<Counters extends object> = Omit<FleetState<Counters>, 'status' | 'counters'> & {
  readonly status?: FleetStatus;
  readonly counters?: Counters;
  readonly progress?: FleetStatus & Counters;
};

function countersIn<Counters extends object>(progress: Counters | undefined, zero: Counters): Counters {
  const counted = Object.entries(progress ?? {}).filter(([name]) => name in zero);
  return { ...zero, ...Object.fromEntries(counted) };
}

/** What failed in the run of the schedule before this one, which Temporal hands on: a result of any version. */
function failedIn(lastResult: unknown): Readonly<Record<string, number>> {
  const { failures = [] } = (lastResult ?? {}) as Partial<FleetResult>;
  return Object.fromEntries(failures.map(({ repository, inARow = 1 }) => [repository, inARow]));
}
