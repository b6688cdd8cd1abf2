import type { Client, WorkflowExecutionDescription, WorkflowExecutionStatusName } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { AnyFlow } from '../../domain/shared/flow.ts';
import { inputSchema } from '../../domain/shared/flow.schema.ts';
import { digestOf } from '../../activities/shared/start-options.ts';

/**
 * What a run's status means for its workflow id. `held`: the run holds the id, running or paused. `free`: the run has
 * ended. `passing`: a newer run may hold the id by now. `unclear`: a status unknown to this version.
 */
const ID_IS = {
  RUNNING: 'held',
  PAUSED: 'held',
  COMPLETED: 'free',
  FAILED: 'free',
  CANCELLED: 'free',
  TERMINATED: 'free',
  TIMED_OUT: 'free',
  CONTINUED_AS_NEW: 'passing',
  UNSPECIFIED: 'unclear',
  UNKNOWN: 'unclear',
} as const satisfies Record<WorkflowExecutionStatusName, string>;

/** Whether a run with this status holds its workflow id: `held`, `free`, `passing` or `unclear`. */
export function idIs(status: WorkflowExecutionStatusName): (typeof ID_IS)[WorkflowExecutionStatusName] {
  return ID_IS[status];
}

/** True for a run that has ended, so that its result or failure is final. */
export function hasEnded(status: WorkflowExecutionStatusName): boolean {
  return ID_IS[status] === 'free' || ID_IS[status] === 'passing';
}

/**
 * True when a run was started with this question, according to its memo `asked`. A run without that memo (started by a
 * schedule, another flow, another client or an earlier version) is compared by the first input in its history.
 */
export async function answers(
  client: Client,
  run: WorkflowExecutionDescription,
  { flow, asked, questionOf }: AskedQuestion,
): Promise<boolean> {
  if (run.type !== flow.type) return false;
  if (run.memo?.['asked'] === asked) return true;
  const input = await firstInput(client, run);
  if (input === NO_HISTORY) return false;
  const checked = inputSchema(flow).safeParse(input ?? {});
  return checked.success && digestOf(questionOf(checked.data)) === asked;
}

/** The question that a run of a flow answers. */
export interface AskedQuestion {
  readonly flow: AnyFlow;
  /** Its digest. */
  readonly asked: string;
  /** The question of a checked input. */
  readonly questionOf: (checked: unknown) => unknown;
}

const NO_HISTORY = Symbol('the server no longer has the history');

/** The input of the first run of a chain: later runs, continued as new, carry state in their input. */
async function firstInput(client: Client, { workflowId, runId, raw }: WorkflowExecutionDescription): Promise<unknown> {
  const first = raw.workflowExecutionInfo?.firstRunId || runId;
  try {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId: first },
      maximumPageSize: 1,
    });
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    const [payload] = started?.input?.payloads ?? [];
    return payload ? client.options.loadedDataConverter.payloadConverter.fromPayload(payload) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isNotFound(error)) return NO_HISTORY;
    throw error;
  }
}

/** gRPC: not found. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 5;
}
