import type { AlertActivities } from '../activities/catalog/alerts.ts';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { createBuildActivities } from '../activities/catalog/builds.ts';
import { createCatalogActivities } from '../activities/catalog/catalog.ts';
import { createFollowActivities } from '../activities/catalog/follow.ts';
import { createGroupActivities, type GroupTools } from '../activities/catalog/groups.ts';
import { createInputActivities } from '../activities/shared/input.ts';
import { FLOWS } from '../domain/flows.ts';
import type { FlowRegistry } from '../domain/shared/flow.ts';
import { FLOWS_QUEUE, REPOS_QUEUE } from '../domain/shared/queues.ts';
import type { Tracing } from '../activities/telemetry/tracing.ts';
import { namedFailures } from './failures.ts';
import { tracedActivities, tracedClient, tracingSinks } from './tracing.ts';

/**
 * Activities that are indexing, fetching or asking at the same time in one process: twice what one flow has under way unless
 * it is told otherwise, so that a group of large repositories leaves places to others. How much of them is in memory is a
 * matter of the batches' turns.
 */
const REPOS_AT_ONCE = 16;

/** How a worker reaches its server. */
export interface WorkerPlace {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Where spans go; the workflow bundle must be one that makes them. @default nowhere */
  readonly tracing?: Tracing | null;
}

/** What a worker of the role `flows` may have besides. */
export interface FlowsWorkerOptions {
  /** For workers that watch over the fleet. */
  readonly alerts?: AlertActivities;
  /** @default 200 */
  readonly maxCachedWorkflows?: number;
  /** The flows whose inputs it checks. @default all */
  readonly flows?: FlowRegistry;
}

/** Options of the role `flows`: workflow tasks, input checks, and what flows tell each other. */
export function flowsWorker(
  place: WorkerPlace,
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
  { alerts, maxCachedWorkflows = 200, flows = FLOWS }: FlowsWorkerOptions = {},
): WorkerOptions {
  return {
    ...common(place),
    taskQueue: FLOWS_QUEUE,
    workflowBundle,
    activities: { ...createInputActivities(flows), ...createFollowActivities(), ...alerts },
    maxCachedWorkflows,
  };
}

/** Options of the role `repos`: git, chunking, embedding, Weaviate. */
export function reposWorker(place: WorkerPlace, tools: GroupTools): WorkerOptions {
  return {
    ...common(place),
    taskQueue: REPOS_QUEUE,
    activities: { ...createCatalogActivities(tools), ...createBuildActivities(tools), ...createGroupActivities(tools) },
    maxConcurrentActivityTaskExecutions: REPOS_AT_ONCE,
    // a cancellation is delivered with the answer to a heartbeat: the default would make people wait
    maxHeartbeatThrottleInterval: '2 seconds',
  };
}

function common({ tracing = null, ...place }: WorkerPlace): Omit<WorkerOptions, 'taskQueue'> {
  return {
    ...place,
    shutdownGraceTime: '30 seconds',
    // a span is told of a failure by its name and without its secrets
    interceptors: {
      activity: [...(tracing === null ? [] : [tracedActivities]), namedFailures],
      ...(tracing === null ? {} : { client: { workflow: [tracedClient()] } }),
    },
    ...(tracing === null ? {} : { sinks: tracingSinks(tracing) }),
  };
}
