import type { Client } from '@temporalio/client';
import { startFlow } from '../../../client/core/start-flow.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import type { SyncGroupInput } from '../../../domain/catalog/groups/sync-groups.ts';
import { collectRuns } from '../recorded-runs.ts';

/** A group with these fields and defaults for the others. */
export function groupOf(name: string, patterns: readonly string[]): SyncGroupInput {
  return {
    name,
    description: '',
    schedule: '0 3 * * *',
    timezone: 'UTC',
    jitterSeconds: 0,
    patterns,
    exclude: [],
    branches: [],
    parallel: 8,
    priority: 3,
    paused: false,
  };
}

/** The result of a group's run, and the size of its histories. */
export interface GroupRun {
  readonly result: CatalogFleetResult;
  /** Events of all runs that it continued as, and of their children. */
  readonly events: number;
  /** Events of the longest of these histories. */
  readonly largest: number;
  /** Number of runs, including continuations. */
  readonly runs: number;
  /** From the start to the result. */
  readonly seconds: number;
}

/** Runs a group to its end. */
export async function runGroup(client: Client, group: SyncGroupInput): Promise<GroupRun> {
  const started = performance.now();
  const handle = await startFlow(client, 'syncGroup', group);
  const result = await handle.result();
  const seconds = (performance.now() - started) / 1_000;
  const histories = await collectRuns(client, [[handle.workflowId, handle.firstExecutionRunId]]);
  const sizes = histories.map(({ history }) => history.events?.length ?? 0);
  return {
    result,
    events: sizes.reduce((sum, size) => sum + size, 0),
    largest: Math.max(...sizes),
    runs: histories.filter(({ workflowId }) => workflowId === handle.workflowId).length,
    seconds,
  };
}
