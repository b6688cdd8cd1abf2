import type { Waiting } from '../shared/progress.ts';
import type { RepositoryFailure } from './failure.ts';

/** One item of a fleet's work. */
export interface FleetItem {
  /** Id of the repository. */
  readonly id: string;
}

/** The counts of every flow over many repositories. */
export interface FleetCounts {
  /** Repositories that matched the patterns or were requested by id. */
  readonly matched: number;
  readonly succeeded: number;
  /** Nothing to do. */
  readonly skipped: number;
  readonly failed: number;
  /** The first {@link FAILURES_KEPT} failures. */
  readonly failures: readonly RepositoryFailure[];
  /** True when a person declined the confirmation and nothing was done. */
  readonly declined: boolean;
}

/** Result of every flow over many repositories. */
export interface FleetResult extends FleetCounts {
  readonly durationMs: number;
}

/** The status of a flow over many repositories. */
export interface FleetStatus extends FleetCounts {
  readonly stage: 'finding' | 'waiting for confirmation' | 'working' | 'done';
  /** The first names of the repositories to confirm. */
  readonly sample: readonly string[];
  /** Repositories that need work, found so far. */
  readonly total: number;
  /** Names of the repositories being worked on now. */
  readonly running: readonly string[];
  /** The server that asked to wait; null or missing when the flow does not wait. */
  readonly waiting?: Waiting | null;
}

/** The status of a flow that has done nothing yet. */
export const NEW_FLEET: FleetStatus = {
  stage: 'finding',
  sample: [],
  total: 0,
  running: [],
  matched: 0,
  succeeded: 0,
  skipped: 0,
  failed: 0,
  failures: [],
  declined: false,
};
