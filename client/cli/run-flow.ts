import type { Flows } from '../flows.ts';
import type { CliContext } from './context.ts';
import { follow, followUntilAsked, type Progress } from './follow.ts';
import { printable } from './printable.ts';
import { connectTemporal, type TemporalSession } from './servers.ts';

/** Options of every command that starts a flow. */
export interface FlowOptions {
  /** Print one JSON object at the end and nothing else. */
  readonly json?: boolean;
  /** False with `--no-wait`: start the flow and return. */
  readonly wait?: boolean;
}

/** What a command does with the flow that it starts. */
export interface FlowCommand<Type extends keyof Flows> {
  readonly type: Type;
  readonly input: Flows[Type]['input'];
  /** The words of the question that the flow waits for an answer to; null for no question. */
  readonly question: ((progress: Progress) => string) | null;
  /** Prints the result. Returns the exit code. */
  readonly print: (result: Flows[Type]['result']) => Promise<number> | number;
  /** The exit code of a result that is printed as JSON. @default 0 */
  readonly exitCode?: (result: Flows[Type]['result']) => number;
}

/** Starts a flow and, unless told otherwise, follows it to its result. Returns the exit code. */
export async function runFlow<Type extends keyof Flows>(
  context: CliContext,
  command: FlowCommand<Type>,
  options: FlowOptions,
): Promise<number> {
  const { startFlow } = await import('../flows.ts');
  const session = await connectTemporal(context);
  try {
    const { workflowId } = await startFlow(session.client, command.type, command.input);
    if (!options.json) context.stderr.write(`${workflowId}${pageOf(session, workflowId)}\n`);
    if (options.wait === false) {
      if (options.json) context.stdout.write(`${JSON.stringify({ workflowId })}\n`);
      else context.stderr.write(`It goes on by itself; follow it with: longhaul watch ${workflowId}\n`);
      return 0;
    }
    if (command.question !== null) await askForConfirmation(context, session, workflowId, command.question);
    const result = (await followToEnd(context, session, workflowId, options)) as Flows[Type]['result'];
    if (!options.json) return await command.print(result);
    context.stdout.write(`${JSON.stringify({ workflowId, ...result })}\n`);
    return command.exitCode?.(result) ?? 0;
  } finally {
    await session.close();
  }
}

/** Follows a flow until it ends; an interruption leaves it running. */
export async function followToEnd(
  context: CliContext,
  { client }: Pick<TemporalSession, 'client'>,
  workflowId: string,
  options: FlowOptions,
): Promise<unknown> {
  const detach = (): void => {
    context.stderr.write(`\nThe flow goes on; follow it again with: longhaul watch ${workflowId}\n`);
    process.exit(130);
  };
  process.once('SIGINT', detach);
  try {
    return await follow(context, { client, workflowId, show: options.json !== true });
  } finally {
    process.off('SIGINT', detach);
  }
}

function pageOf({ uiUrl, client }: TemporalSession, workflowId: string): string {
  if (uiUrl === null) return '';
  return `  ${uiUrl}/namespaces/${client.options.namespace}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Shows what the flow asks about and sends the person's answer to it. */
async function askForConfirmation(
  context: CliContext,
  { client }: TemporalSession,
  workflowId: string,
  question: (progress: Progress) => string,
): Promise<void> {
  const progress = await followUntilAsked(context, { client, workflowId });
  if (progress === null) return;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: context.stderr });
  const asked = question(progress).split('\n').map(printable).join('\n');
  const answer = await terminal.question(`${asked} [y/N]: `);
  terminal.close();
  const proceed = /^y(es)?$/i.test(answer.trim());
  await client.workflow.getHandle(workflowId).executeUpdate('confirm', {
    args: [{ proceed, by: context.env['USER'] ?? context.env['LOGNAME'] ?? 'unknown' }],
    updateId: `confirm-${workflowId}-${process.pid}`,
  });
}
