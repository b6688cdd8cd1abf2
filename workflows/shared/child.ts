import {
  defineSearchAttributeKey,
  type SearchAttributePair,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { type AnyFlow, type Busy, type CheckedOf, type ResultOf, writtenId } from '../../domain/shared/flow.ts';

/** A child workflow and the workflow id that it runs under. */
export interface Child {
  /** Workflow type. */
  readonly type: string;
  readonly input: object;
  /** The lock: at most one open run has it. */
  readonly workflowId: string;
  /** One line for the Temporal UI; its first 200 characters are used. */
  readonly summary: string;
  /** Keyword search attributes. @default none */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** The failure while another run has the workflow id. */
  readonly busy: Busy;
}

/**
 * Runs a child and waits for its result. A cancellation of this flow cancels the child, and waits for its end; when
 * this flow ends otherwise, the child is cancelled. Throws the failure `busy` while another run has the workflow id:
 * see {@link isLocked}.
 */
export async function runLocked<Result>(child: Child): Promise<Result> {
  const { type, input, workflowId, summary, searchAttributes = {}, busy } = child;
  try {
    return await executeChild<(input: object) => Promise<Result>>(type, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      typedSearchAttributes: childAttributes(searchAttributes),
      staticSummary: summary.slice(0, 200),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw ApplicationFailure.nonRetryable(busy.message, busy.type);
  }
}

/** Keyword search attributes, as the options of a child take them. */
export function childAttributes(attributes: Readonly<Record<string, string>>): SearchAttributePair[] {
  return Object.entries(attributes).map(([name, value]) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value }));
}

/** {@link runLocked} for a declared flow. The input has its defaults filled in; `summary` replaces the declared one. */
export function runChild<Declared extends AnyFlow>(
  flow: Declared,
  input: CheckedOf<Declared> & object,
  { summary = flow.summary(input) }: { readonly summary?: string } = {},
): Promise<ResultOf<Declared>> {
  const { type } = flow;
  const workflowId = writtenId(flow, input);
  return runLocked({
    type,
    input,
    workflowId,
    summary,
    searchAttributes: flow.searchAttributes(input),
    busy: flow.busy(input),
  });
}

/**
 * Does the work if this run has the lock, which is the flow's workflow id; a run that a person started under another id
 * starts a child with that id instead.
 */
export function underLock<Declared extends AnyFlow>(
  flow: Declared,
  input: CheckedOf<Declared> & object,
  work: () => Promise<ResultOf<Declared>>,
): Promise<ResultOf<Declared>> {
  return workflowInfo().workflowId === writtenId(flow, input) ? work() : runChild(flow, input);
}

/**
 * True when {@link runLocked} failed because another run has the workflow id; a failed child's error has another class.
 */
export function isLocked(error: unknown): boolean {
  return error instanceof ApplicationFailure;
}

/** True for a cancellation of this flow itself; a child that alone was cancelled counts as failed. */
export function isOwnCancellation(error: unknown): boolean {
  return isCancellation(error) && CancellationScope.current().consideredCancelled;
}

/** True when the work of a child failed: the child logged it. False when it never ran or was stopped from outside. */
export function hasLogged(error: unknown): boolean {
  return error instanceof ChildWorkflowFailure && error.cause instanceof ActivityFailure && !isCancellation(error);
}
