import { ContinueAsNew, isCancellation, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { type FlowSteps, type RunningStep, stepProgress } from '../../domain/shared/step-progress.ts';
import { answerProgress } from './progress.ts';

/**
 * Interceptors of every flow, which each bundle of workflows contains: they answer the query `progress` with the flow's
 * steps. A flow that knows more calls `answerProgress` itself, which replaces this answer.
 *
 * The promises of the flow are passed on as they are: an `async` interceptor would delay its continuations, which could
 * change the order of its commands, and histories would not replay.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const running: RunningStep[] = [];
  const pauses: string[] = [];
  let begun = 0;
  let outcome: FlowSteps['outcome'] = null;
  return {
    inbound: [
      {
        execute(input, next) {
          answerProgress(() => stepProgress({ begun, running, pauses, outcome }));
          const run = next(input);
          run.then(
            () => (outcome = 'done'),
            (error: unknown) => (outcome = outcomeOf(error)),
          );
          return run;
        },
      },
    ],
    outbound: [
      {
        scheduleActivity(input, next) {
          begun++;
          const end = listed(running, { name: input.options.summary ?? input.activityType });
          const result = next(input);
          result.then(end, end);
          return result;
        },
        startChildWorkflowExecution(input, next) {
          begun++;
          const { staticSummary, workflowId } = input.options;
          const end = listed(running, { name: staticSummary ?? input.workflowType, child: workflowId });
          const child = next(input);
          ended(child).then(end, end);
          return child;
        },
        startTimer(input, next) {
          const fired = next(input);
          const { summary } = input.options ?? {};
          if (summary === undefined) return fired;
          const end = listed(pauses, summary);
          fired.then(end, end);
          return fired;
        },
      },
    ],
  };
};

/** Adds a value to a list; the returned function takes it out again, once. */
function listed<Value extends object | string>(list: Value[], value: Value): () => void {
  list.push(value);
  let isListed = true;
  return () => {
    if (isListed) list.splice(list.indexOf(value), 1);
    isListed = false;
  };
}

/** Resolves when a child has ended. Rejects when it failed, or could not be started. */
async function ended(child: Promise<[Promise<string>, Promise<unknown>]>): Promise<void> {
  const [started, result] = await child;
  await Promise.all([started, result]);
}

function outcomeOf(error: unknown): NonNullable<FlowSteps['outcome']> {
  if (error instanceof ContinueAsNew) return 'continued as new';
  return isCancellation(error) ? 'cancelled' : 'failed';
}
