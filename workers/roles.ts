import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { createBuildActivities } from '../activities/builds.ts';
import { createCatalogActivities, type CatalogTools } from '../activities/catalog.ts';
import { createFollowActivities } from '../activities/follow.ts';
import { createInputActivities } from '../activities/input.ts';
import { namedFailures } from './failures.ts';

/** What a worker process can do. A role is a task queue (docs/architecture.md). */
export const ROLES = ['flows', 'repos'] as const;
export type Role = (typeof ROLES)[number];

/** Activities that are indexing, fetching or asking at the same time in one process. */
const REPOS_AT_ONCE = 8;

/** How a worker reaches its server. */
export interface WorkerPlace {
  readonly connection: NativeConnection;
  readonly namespace: string;
}

/** Options of the role `flows`: workflow tasks, input checks, and what flows tell each other. */
export function flowsWorker(
  place: WorkerPlace,
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
  maxCachedWorkflows = 200,
): WorkerOptions {
  return {
    ...common(place),
    taskQueue: 'longhaul-flows',
    workflowBundle,
    activities: { ...createInputActivities(), ...createFollowActivities() },
    maxCachedWorkflows,
  };
}

/** Options of the role `repos`: git, chunking, embedding, Weaviate. */
export function reposWorker(place: WorkerPlace, tools: CatalogTools): WorkerOptions {
  return {
    ...common(place),
    taskQueue: 'longhaul-repos',
    activities: { ...createCatalogActivities(tools), ...createBuildActivities(tools) },
    maxConcurrentActivityTaskExecutions: REPOS_AT_ONCE,
    // a cancellation is delivered with the answer to a heartbeat: the default would make people wait
    maxHeartbeatThrottleInterval: '2 seconds',
  };
}

function common(place: WorkerPlace): Omit<WorkerOptions, 'taskQueue'> {
  return { ...place, shutdownGraceTime: '30 seconds', interceptors: { activity: [namedFailures] } };
}
