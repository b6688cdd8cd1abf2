import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { createInputActivities } from '../activities/shared/input.ts';
import type { OpenRole, RoleLimits, RoleWork, WingRole, WorkerStart } from '../activities/shared/wing-role.ts';
import type { ReadinessCheck } from '../activities/telemetry/status-server.ts';
import type { Tracing } from '../activities/telemetry/tracing.ts';
import { FLOWS } from '../domain/flows.ts';
import type { FlowRegistry } from '../domain/shared/flow.ts';
import { kindOfRole, queueOfRole, type Role } from '../domain/shared/roles.ts';
import { namedFailures } from './failures.ts';
import { tracedActivities, tracedClient, tracingSinks } from './tracing.ts';

/** How a worker reaches its server. */
export interface WorkerPlace {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** The target of spans; needs a workflow bundle with tracing. @default none */
  readonly tracing?: Tracing | null;
}

/** Further settings of a worker of the role `flows`. */
export interface FlowsWorkerOptions {
  /** The work of the wings in the role. @default none */
  readonly work?: RoleWork;
  /** @default 200 */
  readonly maxCachedWorkflows?: number;
  /** The flows whose inputs it checks. @default all */
  readonly flows?: FlowRegistry;
}

/** Options of the role `flows`: workflow tasks, input checks, and activities that need Temporal only. */
export function flowsWorker(
  place: WorkerPlace,
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
  { work = { activities: {} }, maxCachedWorkflows = 200, flows = FLOWS }: FlowsWorkerOptions = {},
): WorkerOptions {
  const inputs = { activities: createInputActivities(flows) };
  return { ...activityWorker(place, 'flows', joinWork([inputs, work])), workflowBundle, maxCachedWorkflows };
}

/** Options of a role whose worker runs activities only. */
export function activityWorker(
  { tracing = null, ...place }: WorkerPlace,
  role: Role,
  { activities, limits = {} }: RoleWork,
): WorkerOptions {
  const { concurrentActivities, heartbeatMs } = limits;
  return {
    ...place,
    taskQueue: queueOfRole(role),
    activities,
    ...(concurrentActivities === undefined ? {} : { maxConcurrentActivityTaskExecutions: concurrentActivities }),
    ...(heartbeatMs === undefined ? {} : { maxHeartbeatThrottleInterval: heartbeatMs }),
    shutdownGraceTime: '30 seconds',
    // a span gets a failure's name without secrets
    interceptors: {
      activity: [...(tracing === null ? [] : [tracedActivities]), namedFailures],
      ...(tracing === null ? {} : { client: { workflow: [tracedClient()] } }),
    },
    ...(tracing === null ? {} : { sinks: tracingSinks(tracing) }),
  };
}

/** The roles of a process, with the tools of all wings that have work in them. */
export interface OpenRoles {
  /** The work of the wings by role. */
  readonly work: ReadonlyMap<Role, RoleWork>;
  /** Readiness checks in addition to Temporal. */
  readonly checks: readonly ReadinessCheck[];
  /** Closes all tools. */
  close(): Promise<void>;
}

/**
 * Opens the tools of these roles, and no others, one wing after another. If one fails, those opened before it are
 * closed.
 */
export async function openRoles(
  wings: readonly WingRole[],
  roles: readonly Role[],
  start: WorkerStart,
): Promise<OpenRoles> {
  const opened: { readonly role: Role; readonly open: OpenRole }[] = [];
  const served = wings.flatMap((wing) =>
    roles.flatMap((role) => (wing.role === kindOfRole(role) ? { role, wing } : [])),
  );
  const close = async (): Promise<void> => {
    const closed = await Promise.allSettled(opened.toReversed().map(async ({ open }) => open.close?.()));
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  };
  try {
    for (const { role, wing } of served) {
      start.signal.throwIfAborted();
      opened.push({ role, open: await wing.open(start, role) });
    }
    const workOf = (role: Role): RoleWork =>
      joinWork(opened.filter((one) => one.role === role).map(({ open }) => open));
    return {
      work: new Map(roles.map((role) => [role, workOf(role)])),
      checks: opened.flatMap(({ open }) => open.checks ?? []),
      close,
    };
  } catch (error) {
    // the first error says more than those of the clean-up
    await close().catch(() => undefined);
    throw error;
  }
}

/** The work of several wings in one role. Throws when two wings have an activity of the same type. */
export function joinWork(works: readonly RoleWork[]): RoleWork {
  const types = works.flatMap(({ activities }) => Object.keys(activities));
  const twice = types.find((type, at) => types.indexOf(type) !== at);
  if (twice !== undefined) throw new Error(`two wings have an activity ${twice}: rename one of them`);
  const smallest = (limit: keyof RoleLimits): Partial<RoleLimits> => {
    const values = works.flatMap(({ limits }) => limits?.[limit] ?? []);
    return values.length === 0 ? {} : { [limit]: Math.min(...values) };
  };
  return {
    activities: Object.assign({}, ...works.map(({ activities }) => activities)) as object,
    limits: { ...smallest('concurrentActivities'), ...smallest('heartbeatMs') },
  };
}
