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
 * Activities that run concurrently in one process: twice the default of one flow, so that a group of large repositories
 * leaves slots to others. The number of batches in memory is limited separately.
 */
const REPOS_AT_ONCE = 16;

/** How a worker reaches its server. */
export interface WorkerPlace {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Where spans go; the workflow bundle must support tracing. @default nowhere */
  readonly tracing?: Tracing | null;
}

/** Further settings of a worker of the role `flows`. */
export interface FlowsWorkerOptions {
  /** For workers that check the fleet. */
  readonly alerts?: AlertActivities;
  /** @default 200 */
  readonly maxCachedWorkflows?: number;
  /** The flows whose inputs it checks. @default all */
  readonly flows?: FlowRegistry;
}

/** Options of the role `flows`: workflow tasks, input checks, and messages between flows. */
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
    // a cancellation arrives with the answer to a heartbeat: the default would make people wait
    maxHeartbeatThrottleInterval: '2 seconds',
  };
}

function common({ tracing = null, ...place }: WorkerPlace): Omit<WorkerOptions, 'taskQueue'> {
  return {
    ...place,
    shutdownGraceTime: '30 seconds',
    // a span gets a failure's name without secrets
    interceptors: {
      activity: [...(tracing === null ? [] : [tracedActivities]), namedFailures],
      ...(tracing === null ? {} : { client: { workflow: [tracedClient()] } }),
    },
    ...(tracing === null ? {} : { sinks: tracingSinks(tracing) }),
  };
}
