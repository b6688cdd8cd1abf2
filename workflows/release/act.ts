import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import { actOf, type RefusalFacts } from '../../domain/release/acts.ts';
import type { AnyFlow, CheckedOf, ResultOf } from '../../domain/shared/flow.ts';
import { isRefusal } from '../../domain/shared/failures.ts';
import { underLock } from '../shared/child.ts';
import { failureOf } from '../shared/failure.ts';
import { checked } from '../shared/input.ts';
import { ledgerActivities } from './activities.ts';

/** A checked input, and the request that the gateway recorded for it. */
type Given<Declared extends AnyFlow> = CheckedOf<Declared> & object & { readonly requestId?: string };

/**
 * A flow of the release train: checks the input, takes the lock, finds out who asked, and does the work. When it is
 * refused or fails, the audit trail says so before the flow ends.
 */
export function asAct<Declared extends AnyFlow>(
  flow: Declared,
  input: unknown,
  work: (given: CheckedOf<Declared> & object) => Promise<ResultOf<Declared>>,
): Promise<ResultOf<Declared>> {
  return recordingRefusal(flow, input, () => act(flow, input, work));
}

/** {@link asAct} without the record of a refusal. */
export async function act<Declared extends AnyFlow>(
  flow: Declared,
  input: unknown,
  work: (given: CheckedOf<Declared> & object) => Promise<ResultOf<Declared>>,
): Promise<ResultOf<Declared>> {
  const given = (await checked(flow, input).catch((error: unknown) =>
    failWithWrongInput(flow.type, input, error),
  )) as Given<Declared>;
  return underLock(flow, given, async () => {
    if (given.requestId !== undefined) await takeRequest(flow.type, given, given.requestId);
    return work(given);
  });
}

/** Does the work of a flow, or of a part of it. When it is refused or fails, records that before the failure goes on. */
export async function recordingRefusal<Result>(
  { type: flow }: Pick<AnyFlow, 'type'>,
  input: unknown,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // also when the flow is cancelled meanwhile
    if (isUnrecorded(error)) await CancellationScope.nonCancellable(() => record(flow, input, error));
    throw error;
  }
}

/** Failures that the audit trail has. */
const recorded = new WeakSet<object>();

/** Records an input that was not accepted, and fails. Fails soon also where no worker serves the ledger. */
async function failWithWrongInput(flow: string, input: unknown, error: unknown): Promise<never> {
  if (!(error instanceof Error) || isCancellation(error)) throw error;
  try {
    await CancellationScope.nonCancellable(() => record(flow, input, error, { scheduleToStartTimeout: '10 seconds' }));
  } catch (problem) {
    log.warn('The wrong input was not recorded: no worker serves the ledger.', { flow, error: String(problem) });
  }
  recorded.add(error);
  throw error;
}

/** Makes the request that of this run: it proves who asked, also for the children of the run. */
async function takeRequest(type: string, input: object, id: string): Promise<void> {
  const { firstExecutionRunId, root } = workflowInfo();
  await ledgerActivities.takeRequest.executeWithOptions({ summary: 'who asks' }, [
    { id, type, input, rootRunId: root?.runId ?? firstExecutionRunId },
  ]);
}

/** False for a failure that the audit trail has, for a cancellation, for a pipeline that failed, which has its own events, and for what a child has recorded. */
function isUnrecorded(error: unknown): boolean {
  if (isCancellation(error) || (error instanceof Error && recorded.has(error))) return false;
  if (error instanceof ChildWorkflowFailure) {
    return !(error.cause instanceof ApplicationFailure || error.cause instanceof ActivityFailure);
  }
  return !(error instanceof ApplicationFailure && error.type === 'PipelineFailed');
}

async function record(flow: string, input: unknown, error: unknown, options: ActivityOptions = {}): Promise<void> {
  const { type, error: message } = failureOf(error);
  const [, facts = null] = (error instanceof ApplicationFailure ? error.details : null) ?? [];
  await ledgerActivities.recordRefusal.executeWithOptions({ ...options, summary: `record: ${type}` }, [
    {
      ...actOf(flow, input),
      type,
      isRefused: isRefusal(type),
      message,
      facts: facts as RefusalFacts | null,
    },
  ]);
}
