import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Confirmation } from '../../domain/shared/confirmation.ts';

/** A person's answer to what a flow asks; refused when nobody asked. Answered with the flow's progress. */
const confirmUpdate = defineUpdate<unknown, [Confirmation]>('confirm');

/** What a person is asked. */
export interface Question<Progress> {
  /** As the UI shows it beside the update. */
  readonly text: string;
  /** True while an answer is wanted. */
  readonly isAsked: () => boolean;
  /** What the update answers. */
  readonly progress: () => Progress;
}

/** Takes the update `confirm`; the function it returns waits for a person's answer, however long that takes. */
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
