import type { Client } from '@temporalio/client';
import { startFlow } from '../../client/core/start-flow.ts';
import type { CatalogFleetResult } from '../../domain/catalog/flows/fleet.ts';
import type { SyncGroupInput } from '../../domain/catalog/groups/sync-groups.ts';
import { collectRuns } from './replay.ts';

/** A group as a file of groups would declare it with nothing but these. */
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

/** What a run of a group did, and what its histories cost. */
export interface GroupRun {
  readonly result: CatalogFleetResult;
  /** Of all runs that it continued as, and of their children. */
  readonly events: number;
  /** Of the longest of these histories. */
  readonly largest: number;
  /** Runs that the group continued as, the first included. */
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
