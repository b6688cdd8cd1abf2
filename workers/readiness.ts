import type { NativeConnection, Worker } from '@temporalio/worker';
import type { ReadinessCheck } from '../activities/telemetry/status-server.ts';

/** The parts of a running worker process. */
export interface WorkerParts {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly workers: readonly Worker[];
  /** The checks of its roles' tools. */
  readonly checks: readonly ReadinessCheck[];
}

const STARTING: ReadinessCheck = {
  name: 'worker',
  run: () => Promise.reject(new Error('still starting')),
};

/**
 * The checks of a worker process: Temporal has the namespace, every worker polls, the tools answer. `parts` is null
 * while it starts.
 */
export function readinessOf(parts: WorkerParts | null): readonly ReadinessCheck[] {
  if (parts === null) return [STARTING];
  const { connection, namespace, workers, checks } = parts;
  return [
    {
      name: 'temporal',
      run: (signal) =>
        connection.withAbortSignal(signal, () => connection.workflowService.describeNamespace({ namespace })),
    },
    ...workers.map((worker) => ({ name: worker.options.taskQueue, run: () => polls(worker) })),
    ...checks,
  ];
}

/** A worker without workflows has no poller for them; a broken poller reports its state. */
function polls(worker: Worker): Promise<void> {
  const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
  const states = [workflowPollerState, activityPollerState];
  if (runState === 'RUNNING' && states.includes('POLLING') && !states.includes('FAILED')) return Promise.resolve();
  const pollers = `workflow tasks: ${workflowPollerState}, activities: ${activityPollerState}`;
  return Promise.reject(new Error(`${runState}, pollers of ${pollers}`));
}
