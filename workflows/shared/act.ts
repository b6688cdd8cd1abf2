import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  ContinueAsNew,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import { type Acting, actOf, type RefusalFacts } from '../../domain/shared/acts.ts';
import { type AnyFlow, type CheckedOf, type ResultOf, writtenId } from '../../domain/shared/flow.ts';
import { isRefusal } from '../../domain/shared/failures.ts';
import { type IncompleteRollback, ROLLBACK_INCOMPLETE } from '../../domain/shared/repair.ts';
import { underLock } from './child.ts';
import { failureOf } from './failure.ts';
import { checked } from './input.ts';
import { actActivities } from './act-activities.ts';

/** A checked input, and the request that the gateway recorded for it. */
type Given<Declared extends AnyFlow> = CheckedOf<Declared> & object & { readonly requestId?: string };

/**
 * A flow that the audit trail has: checks the input, takes the lock, finds out who asked, and does the work. When it is
 * refused, fails or is cancelled, the audit trail says so before the flow ends.
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
    failWithWrongInput(flow, input, error),
  )) as Given<Declared>;
  try {
    return await underLock(flow, given, async () => {
      if (given.requestId !== undefined) await takeRequest(flow.type, given, given.requestId);
      return work(given);
    });
  } catch (error) {
    // the child that has the lock did the work, and has recorded its cancellation
    const isChild = workflowInfo().workflowId !== writtenId(flow, given);
    if (isChild && error instanceof ChildWorkflowFailure && isCancellation(error)) recorded.add(error);
    throw error;
  }
}

/** Does the work of a flow, or of a part of it. When it does not succeed, records that before the failure goes on. */
export async function recordingRefusal<Result>(
  acting: Acting,
  input: unknown,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isCancelled = CancellationScope.current().consideredCancelled;
    // also when the flow is cancelled meanwhile
    await CancellationScope.nonCancellable(() => recordEnd(acting, input, error, isCancelled));
    throw error;
  }
}

/** Says that the audit trail has this failure in an event of its own. */
export function hasEvent(error: unknown): void {
  if (error instanceof Error) recorded.add(error);
}

/** Failures that the audit trail has. */
const recorded = new WeakSet<object>();

/** Records an input that was not accepted, and fails. Fails soon also where no worker serves the ledger. */
async function failWithWrongInput(flow: Acting, input: unknown, error: unknown): Promise<never> {
  if (!(error instanceof Error) || isCancellation(error)) throw error;
  try {
    await CancellationScope.nonCancellable(() => record(flow, input, error, { scheduleToStartTimeout: '10 seconds' }));
  } catch (problem) {
    log.warn('The wrong input was not recorded: no worker serves the ledger.', {
      flow: flow.type,
      error: String(problem),
    });
  }
  recorded.add(error);
  throw error;
}

/** Makes the request that of this run: it proves who asked, also for the children of the run. */
async function takeRequest(type: string, input: object, id: string): Promise<void> {
  const { firstExecutionRunId, root } = workflowInfo();
  await actActivities.takeRequest.executeWithOptions({ summary: 'who asks' }, [
    { id, type, input, rootRunId: root?.runId ?? firstExecutionRunId },
  ]);
}

async function recordEnd(flow: Acting, input: unknown, error: unknown, isCancelled: boolean): Promise<void> {
  if (!isUnrecorded(error, isCancelled)) return;
  if (error instanceof ApplicationFailure && error.type === ROLLBACK_INCOMPLETE) {
    const [left = { undos: [] }] = (error.details ?? []) as [IncompleteRollback?];
    // the failure, and then that a person gave up
    if (error.cause !== undefined) await recordEnd(flow, input, error.cause, isCancelled);
    await recordGiveUp(flow, input, left);
  } else await record(flow, input, error);
  if (error instanceof Error) recorded.add(error);
}

/**
 * False for a failure that the audit trail has, for a pipeline that failed, which has its own events, and for what a
 * child has recorded. `isCancelled`: the flow itself was cancelled, which its children record for themselves only.
 */
function isUnrecorded(error: unknown, isCancelled: boolean): boolean {
  // the act goes on in the next run
  if (error instanceof ContinueAsNew) return false;
  if (error instanceof Error && recorded.has(error)) return false;
  if (isCancellation(error)) return isCancelled || !(error instanceof ChildWorkflowFailure);
  if (error instanceof ChildWorkflowFailure) {
    return !(error.cause instanceof ApplicationFailure || error.cause instanceof ActivityFailure);
  }
  return !(error instanceof ApplicationFailure && error.type === 'PipelineFailed');
}

async function recordGiveUp(flow: Acting, input: unknown, { undos, by, why }: IncompleteRollback): Promise<void> {
  const left = undos.map(({ undo, error }) => `${undo}: ${error}`);
  await actActivities.recordGiveUp.executeWithOptions({ summary: 'record: a person gave up' }, [
    { ...actOf(flow, input), givenUpBy: by ?? 'unknown', why: why ?? null, left },
  ]);
}

async function record(flow: Acting, input: unknown, error: unknown, options: ActivityOptions = {}): Promise<void> {
  const { type, error: message } = failureOf(error);
  const [, facts = null] = (error instanceof ApplicationFailure ? error.details : null) ?? [];
  await actActivities.recordRefusal.executeWithOptions({ ...options, summary: `record: ${type}` }, [
    {
      ...actOf(flow, input),
      type,
      isRefused: isRefusal(type),
      message,
      facts: facts as RefusalFacts | null,
    },
  ]);
}
