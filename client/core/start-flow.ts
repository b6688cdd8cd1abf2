import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandleWithFirstExecutionRunId,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { digestOf, startOptions } from '../../activities/shared/start-options.ts';
import { FLOWS, type Flows } from '../../domain/flows.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { AnyFlow, CheckedOf, GivenOf, ResultOf, StartSignal } from '../../domain/shared/flow.ts';
import { parseInput } from '../../domain/shared/flow.schema.ts';
import { answers, type AskedQuestion, idIs } from './running-question.ts';
import { sha256 } from '../../platform/sha256.ts';

/** A run of a declared flow. */
export type HandleOf<Declared extends AnyFlow> = WorkflowHandleWithFirstExecutionRunId<
  (input: GivenOf<Declared>) => Promise<ResultOf<Declared>>
>;

/** A run of a flow, by workflow type. */
export type FlowHandle<Type extends keyof Flows> = HandleOf<Flows[Type]>;

/** Larger inputs are rejected here: the server would reject them only after half a minute of retries. */
const MAX_INPUT_BYTES = 256 * 1024;

/**
 * Number of attempts while other runs with the same id start and end, and the pause between attempts in milliseconds.
 */
const TRIES = 20;
const PAUSE_MS = 100;

/** How to start a flow. */
export interface StartOptions {
  /**
   * Idempotency key of the request. Requests with the same key share one run, even after it has ended, for as long as
   * Temporal retains it. Throws `InvalidInput` when the key was used with another input.
   * @default none: a running run with the same question is joined
   */
  readonly once?: string;
}

/**
 * Starts a flow, or joins a running one that was started with the same question. A run with another question is never
 * joined: while such a run holds the workflow id, this call waits for its end or throws `RepositoryBusy` or
 * `IndexBusy`, as the flow declares. Throws `InvalidInput` before anything is started.
 */
export async function startFlow<Type extends keyof Flows>(
  client: Client,
  type: Type,
  input: GivenOf<Flows[Type]>,
  options: StartOptions = {},
): Promise<FlowHandle<Type>> {
  return startDeclared(client, FLOWS.byType[type], input, options);
}

/** {@link startFlow} for a declaration. */
export async function startDeclared<Declared extends AnyFlow>(
  client: Client,
  flow: Declared,
  input: GivenOf<Declared>,
  options: StartOptions = {},
): Promise<HandleOf<Declared>> {
  return startChecked(client, flow, parseInput(flow, input), options);
}

/**
 * {@link startFlow} with an input that is checked and has its defaults filled in. The run gets it as it is, and checks
 * it again.
 */
export async function startChecked<Declared extends AnyFlow>(
  client: Client,
  flow: Declared,
  checked: CheckedOf<Declared>,
  { once }: StartOptions = {},
): Promise<HandleOf<Declared>> {
  const bytes = Buffer.byteLength(JSON.stringify(checked));
  if (bytes > MAX_INPUT_BYTES) {
    const message = `${flow.type}: the input has ${bytes} bytes; the maximum is ${MAX_INPUT_BYTES}.`;
    throw new LonghaulError('InvalidInput', message);
  }
  const options = { ...startOptions(flow, checked), workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL };
  if (flow.startSignal !== null) return startWithSignal(client, flow, checked, flow.startSignal, once);
  if (once !== undefined) return startOnce(client, flow, options, { once, checked });
  return startOrJoin(client, flow, options, checked);
}

/** The options of a start, independent of the workflow id's state. */
type FlowStartOptions = WorkflowStartOptions<(input: unknown) => Promise<unknown>>;

async function startOrJoin<Declared extends AnyFlow>(
  client: Client,
  flow: Declared,
  options: FlowStartOptions,
  checked: unknown,
): Promise<HandleOf<Declared>> {
  const { workflowId } = options;
  const questionOf = (given: unknown): unknown => flow.question(given);
  const question: AskedQuestion = { flow, asked: digestOf(questionOf(checked)), questionOf };
  for (let tries = 1; tries <= TRIES; tries++) {
    try {
      return (await client.workflow.start(flow.type, options)) as HandleOf<Declared>;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const busy = flow.busy(checked);
      const run = await describeRun(client, workflowId);
      const state = run === null ? 'free' : idIs(run.status.name);
      if (run === null || state === 'free' || state === 'passing') {
        // the run ended between the two requests
        await sleep(PAUSE_MS);
        continue;
      }
      if (state === 'unclear') {
        const message = `Temporal does not say whether ${workflowId} is running: its status is ${run.status.name}.`;
        throw new LonghaulError(busy.type, message, { cause: error });
      }
      if (flow.whenRunning !== 'refuse' && (await answers(client, run, question))) {
        return Object.assign(client.workflow.getHandle<HandleFlow<Declared>>(workflowId, run.runId), {
          firstExecutionRunId: run.runId,
        });
      }
      if (flow.whenRunning !== 'wait') throw new LonghaulError(busy.type, busy.message, { cause: error });
      await untilEnded(client, run);
      // waiting does not count as an attempt: any number of runs may go first
      tries = 0;
    }
  }
  const message = `Runs of ${workflowId} start and end too quickly to start another one: try again.`;
  throw new LonghaulError(flow.busy(checked).type, message);
}

type HandleFlow<Declared extends AnyFlow> = (input: GivenOf<Declared>) => Promise<ResultOf<Declared>>;

async function describeRun(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Waits for a run to end, successfully or not. */
async function untilEnded(client: Client, { workflowId, runId }: WorkflowExecutionDescription): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  await handle.result().catch(async (error: unknown) => {
    // a failed run has ended; a server error does not show that it has
    if (error instanceof WorkflowNotFoundError) return;
    const { status } = await handle.describe();
    if (idIs(status.name) === 'held') throw error;
  });
}

/** Starts a flow with its required signal, or signals the existing run, which answers the same question. */
async function startWithSignal<Declared extends AnyFlow>(
  client: Client,
  flow: Declared,
  checked: CheckedOf<Declared>,
  signal: StartSignal,
  once: string | undefined,
): Promise<HandleOf<Declared>> {
  const options = startOptions(flow, checked);
  const handle = await client.workflow.signalWithStart<HandleFlow<Declared>, [object]>(flow.type, {
    ...options,
    args: options.args as Parameters<HandleFlow<Declared>>,
    signal: signal.name,
    signalArgs: [signal.input(once === undefined ? undefined : sha256(once))],
  });
  return Object.assign(handle, { firstExecutionRunId: handle.signaledRunId });
}

/** Starts a flow for an idempotency key, or finds the run of that key. */
async function startOnce<Declared extends AnyFlow>(
  client: Client,
  flow: Declared,
  options: FlowStartOptions,
  { once, checked }: { readonly once: string; readonly checked: unknown },
): Promise<HandleOf<Declared>> {
  const workflowId = `${flow.type}/${sha256(once).slice(0, 32)}`;
  // the same key requires exactly the same input, including fields that are not part of the question
  const asked = digestOf(checked);
  try {
    return (await client.workflow.start(flow.type, {
      ...options,
      workflowId,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      memo: { asked },
    })) as HandleOf<Declared>;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  const handle = client.workflow.getHandle<HandleFlow<Declared>>(workflowId);
  const run = await handle.describe();
  if (!(await answers(client, run, { flow, asked, questionOf: (given) => given }))) {
    throw new LonghaulError('InvalidInput', `${flow.type}: this idempotency key was already used with another input.`);
  }
  return Object.assign(handle, { firstExecutionRunId: run.runId });
}
