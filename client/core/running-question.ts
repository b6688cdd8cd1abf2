import type { Client, WorkflowExecutionDescription, WorkflowExecutionStatusName } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { AnyFlow } from '../../domain/shared/flow.ts';
import { inputSchema } from '../../domain/shared/flow.schema.ts';
import { sha256 } from '../../platform/sha256.ts';

/**
 * What a run's status means for its workflow id. `held`: the run has it, whether it works or is paused. `free`: the run ended.
 * `passing`: another run has the id by now, or none. `unclear`: the server says something that this version does not know.
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

/** See the table of statuses: whether a run has its workflow id. */
export function idIs(status: WorkflowExecutionStatusName): (typeof ID_IS)[WorkflowExecutionStatusName] {
  return ID_IS[status];
}

/** True for a run that has ended: it has a result or a failure, and never will have another. */
export function hasEnded(status: WorkflowExecutionStatusName): boolean {
  return ID_IS[status] === 'free' || ID_IS[status] === 'passing';
}

/** Digest of a question: SHA-256 of JSON in which the order of keys does not matter. */
export function digestOf(question: unknown): string {
  return sha256(JSON.stringify(question, sortedKeys) ?? '');
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * True when a run was started with this question: its memo `asked` says so, or, for a run that was started by a schedule, by
 * another flow, by hand or by an earlier version, the input that its history begins with.
 */
export async function answers(
  client: Client,
  run: WorkflowExecutionDescription,
  { flow, asked, questionOf }: AskedQuestion,
): Promise<boolean> {
  if (run.type !== flow.type) return false;
  if (run.memo?.['asked'] === asked) return true;
  const input = await firstInput(client, run);
  if (input === NOT_KEPT) return false;
  const checked = inputSchema(flow).safeParse(input ?? {});
  return checked.success && digestOf(questionOf(checked.data)) === asked;
}

/** What is asked of which flow. */
export interface AskedQuestion {
  readonly flow: AnyFlow;
  /** {@link digestOf} the question. */
  readonly asked: string;
  /** The question of a checked input. */
  readonly questionOf: (checked: unknown) => unknown;
}

const NOT_KEPT = Symbol('the server keeps the history no longer');

/** What the first run of a chain was started with: one that continued as new carries its state in its input. */
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
    if (error instanceof WorkflowNotFoundError || isNotFound(error)) return NOT_KEPT;
    throw error;
  }
}

/** gRPC: not found. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 5;
}
