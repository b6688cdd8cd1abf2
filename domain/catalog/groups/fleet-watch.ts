import type { Alert, AlertChanges } from './alerts.ts';

/** The result of a check of all groups. */
export interface FleetWatch {
  /** ISO 8601. */
  readonly at: string;
  readonly alerts: readonly Alert[];
  /** Runs that every group has missed so far. */
  readonly missed: Readonly<Record<string, number>>;
  /** Changes that a channel has not been notified of yet, by name of the channel. */
  readonly untold?: Readonly<Record<string, AlertChanges>>;
}
