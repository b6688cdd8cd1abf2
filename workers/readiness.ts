import type { NativeConnection, Worker } from '@temporalio/worker';
import type { ReadinessCheck } from '../activities/telemetry/status-server.ts';

/** What a worker needs to do its work; null while the process is starting. */
export interface WorkerParts {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** Base URL of Weaviate; null for a process that does not need it. */
  readonly weaviateUrl: string | null;
  readonly workers: readonly Worker[];
}

const STARTING: ReadinessCheck = {
  name: 'worker',
  run: () => Promise.reject(new Error('still starting')),
};

/** The checks: Temporal has the namespace, every worker polls, Weaviate answers. */
export function readinessOf(parts: WorkerParts | null): readonly ReadinessCheck[] {
  if (parts === null) return [STARTING];
  const { connection, namespace, weaviateUrl, workers } = parts;
  return [
    {
      name: 'temporal',
      run: (signal) =>
        connection.withAbortSignal(signal, () => connection.workflowService.describeNamespace({ namespace })),
    },
    ...workers.map((worker) => ({ name: worker.options.taskQueue, run: () => polls(worker) })),
    ...(weaviateUrl === null ? [] : [{ name: 'weaviate', run: (signal: AbortSignal) => answers(weaviateUrl, signal) }]),
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

async function answers(url: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(new URL('/v1/.well-known/ready', url), { signal });
  if (!response.ok) throw new Error(`answers ${response.status}`);
}
