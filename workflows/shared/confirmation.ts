import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Confirmation } from '../../domain/shared/confirmation.ts';

/** A person's answer to a flow's question; refused when the flow does not ask. Returns the flow's progress. */
const confirmUpdate = defineUpdate<unknown, [Confirmation]>('confirm');

/** A question to a person. */
export interface Question<Progress> {
  /** The text in the UI next to the update. */
  readonly text: string;
  /** True while the flow waits for an answer. */
  readonly isAsked: () => boolean;
  /** The update's return value. */
  readonly progress: () => Progress;
}

/** Handles the update `confirm`; the returned function waits for a person's answer without a time limit. */
export function confirmation<Progress>({ text, isAsked, progress }: Question<Progress>): () => Promise<Confirmation> {
  let answer: Confirmation | undefined;
  setHandler(
    confirmUpdate,
    (given: Confirmation) => {
      answer = { proceed: given.proceed, ...(given.by === undefined ? {} : { by: given.by }) };
      return progress();
    },
    {
      description: `${text} {"proceed": true or false, "by": "name"}`,
      validator: (given: Confirmation): void => {
        if (!isAsked() || answer !== undefined) {
          throw ApplicationFailure.nonRetryable('This run is not waiting for a confirmation.', 'InvalidInput');
        }
        if (typeof given?.proceed !== 'boolean') {
          throw ApplicationFailure.nonRetryable('proceed: give true or false.', 'InvalidInput');
        }
      },
    },
  );
  return async () => {
    await condition(() => answer !== undefined);
    return answer ?? { proceed: false };
  };
}
