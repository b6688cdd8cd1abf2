import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Loss, LossConfirmation } from '../../../domain/workspace/flows/teardown-flow.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { connectTemporal } from '../../core/servers.ts';
import { userName } from '../../core/user-name.ts';

/** Interval at which the flow is asked what it waits for. */
const POLL_MS = 300;

/** How losses are answered. */
export interface LossAnswers {
  /** Names that are confirmed without asking. */
  readonly confirmed: readonly string[];
  /** Whether the person is asked about the others; otherwise they are declined. */
  readonly asks: boolean;
}

/**
 * Answers what the flow with this id asks about losses, one by one, until the signal is aborted: a person confirms each by
 * typing its name. Anything else, and the end of the input, declines it.
 */
export async function answerLosses(
  context: CliContext,
  workflowId: string,
  { confirmed, asks }: LossAnswers,
  signal: AbortSignal,
): Promise<void> {
  const session = await connectTemporal(context);
  try {
    const handle = session.client.workflow.getHandle(workflowId);
    while (!signal.aborted) {
      // it has not started, ended, or no worker answers: the command that follows it says so
      const [loss] = await handle.query<readonly Loss[]>('losses').catch(() => []);
      if (loss === undefined) {
        await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const { name } = loss;
      const proceed = confirmed.includes(name) || (asks && (await typed(context, loss, signal)) === name);
      if (signal.aborted) return;
      const answer: LossConfirmation = { name, proceed, by: userName(context.env) };
      // another person may have answered, or the flow has ended
      await handle
        .executeUpdate<unknown, [LossConfirmation]>('confirmLoss', { args: [answer] })
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) context.stderr.write(`${printable(String(error))}\n`);
        });
    }
  } finally {
    await session.close();
  }
}

/** What the person types to confirm. */
async function typed({ stdin, stderr }: CliContext, { name, work }: Loss, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: stdin, output: stderr });
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const lines = work.map((each) => `  ${printable(each)}\n`).join('');
  try {
    const question = `${printable(name)}:\n${lines}Type ${printable(name)} to confirm: `;
    return (await Promise.race([terminal.question(question, { signal }), closed])).trim();
  } catch (error) {
    if (signal.aborted) return '';
    throw error;
  } finally {
    terminal.close();
  }
}
