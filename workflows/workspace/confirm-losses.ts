import { ApplicationFailure, condition, defineQuery, defineUpdate, setHandler } from '@temporalio/workflow';
import type { Loss, LossConfirmation } from '../../domain/workspace/flows/teardown-flow.ts';

const confirmLossUpdate = defineUpdate<readonly string[], [LossConfirmation]>('confirmLoss');
const lossesQuery = defineQuery<readonly Loss[]>('losses');

/** A person's answer about one loss. */
export interface AnsweredLoss extends Loss {
  readonly proceed: boolean;
  readonly by: string;
}

/** What a flow asks people about, and the names of what they have not answered. */
export interface LossQuestions {
  /**
   * Asks about all of them, and waits without a time limit until each has an answer; with `endsAtNo` until one was
   * declined. `onAnswer` gets each answer, one after the other. Returns the answers.
   */
  ask(
    losses: readonly Loss[],
    onAnswer: (answer: AnsweredLoss) => Promise<void>,
    options: { readonly endsAtNo: boolean },
  ): Promise<readonly AnsweredLoss[]>;
  readonly open: () => readonly Loss[];
}

/**
 * Handles the update `confirmLoss`, by which a person confirms one loss by its name, and the query `losses`. Call it before
 * the first await of the flow.
 */
export function losses(): LossQuestions {
  let open: readonly Loss[] = [];
  const answers: AnsweredLoss[] = [];
  setHandler(
    confirmLossUpdate,
    ({ name, proceed, by = 'unknown' }: LossConfirmation) => {
      const loss = open.find((each) => each.name === name);
      if (loss !== undefined) answers.push({ ...loss, proceed, by });
      open = open.filter((each) => each !== loss);
      return open.map((each) => each.name);
    },
    {
      description: 'What may be lost: {"name": "api", "proceed": true or false, "by": "name"}, one answer for each',
      validator: (given: LossConfirmation): void => {
        if (typeof given?.proceed !== 'boolean') throw invalid('proceed: give true or false.');
        if (open.some(({ name }) => name === given.name)) return;
        const names = open.map(({ name }) => name).join(', ');
        throw invalid(`name: this run ${names === '' ? 'asks about nothing' : `asks about ${names}`}.`);
      },
    },
  );
  setHandler(lossesQuery, () => open, { description: 'What a person must confirm by its name' });
  return {
    open: () => open,
    async ask(asked, onAnswer, { endsAtNo }) {
      answers.splice(0);
      open = asked;
      for (let at = 0; at < asked.length; at++) {
        await condition(() => answers.length > at);
        const answer = answers[at];
        if (answer === undefined) break;
        await onAnswer(answer);
        if (answer.proceed || !endsAtNo) continue;
        open = [];
        break;
      }
      return [...answers];
    },
  };
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
