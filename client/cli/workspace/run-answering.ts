import { workspaceKey } from '../../../domain/workspace/flows/apply-plan-flow.ts';
import type { WorkspaceFields } from '../../../domain/workspace/flows/workspace-fields.ts';
import type { AnyFlow } from '../../../domain/shared/flow.ts';
import type { CliContext } from '../../core/context.ts';
import { type FlowCommand, type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { answerLosses } from './answer-losses.ts';
import type { WorkspaceOptions } from './host-and-root.ts';

/** Options of commands whose flow asks about what may be lost. */
export interface AnsweringOptions extends FlowOptions, WorkspaceOptions {
  /** Names that are confirmed without asking. @default none */
  readonly confirm?: readonly string[];
}

/** Runs a flow of a workspace, and answers what it asks ({@link answerLosses}); with `json` no person is asked. */
export async function runAnswering<Declared extends AnyFlow>(
  context: CliContext,
  command: FlowCommand<Declared>,
  { confirm = [], json = false, wait, ...rest }: AnsweringOptions,
): Promise<number> {
  const { host, root } = command.input as WorkspaceFields;
  const ended = new AbortController();
  const answering =
    wait === false
      ? Promise.resolve()
      : answerLosses(context, workspaceKey(host, root), { confirmed: confirm, asks: !json }, ended.signal);
  try {
    const options = { ...rest, json, ...(wait === undefined ? {} : { wait }) };
    return await runFlow(context, { ...command, show: showNothing }, options);
  } finally {
    ended.abort();
    await answering;
  }
}

/** The questions to the person have the terminal. */
function showNothing(_client: unknown, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
