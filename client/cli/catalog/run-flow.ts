import type { AnyFlow, GivenOf, ResultOf } from '../../../domain/shared/flow.ts';
import type { CliContext } from '../../core/context.ts';
import { Interrupted } from '../../core/errors.ts';
import {
  follow,
  type FollowOptions,
  followUntilAsked,
  type FlowProgress,
  readProgress,
  untilAnswered,
} from './follow.ts';
import { printable } from '../../core/printable.ts';
import { connectTemporal, type TemporalSession } from '../../core/servers.ts';

/** Options of every command that starts a flow. */
export interface FlowOptions {
  /** Print only one JSON object, at the end. */
  readonly json?: boolean;
  /** False with `--no-wait`: start the flow and return. */
  readonly wait?: boolean;
}

/** How a command handles the flow that it starts. */
export interface FlowCommand<Declared extends AnyFlow> {
  readonly flow: Declared;
  readonly input: GivenOf<Declared>;
  /** The text of the question that the flow waits on; null for none. */
  readonly question: ((progress: FlowProgress) => string) | null;
  /** True to confirm for the person, also when a joined run waits for an answer. @default false */
  readonly agrees?: boolean;
  /** Prints the result. Returns the exit code. */
  readonly print: (result: ResultOf<Declared>) => Promise<number> | number;
  /** The exit code of a result that is printed as JSON. @default 0 */
  readonly exitCode?: (result: ResultOf<Declared>) => number;
}

/** Starts a flow and, unless `wait` is false, follows it to its result. Returns the exit code. */
export async function runFlow<Declared extends AnyFlow>(
  context: CliContext,
  command: FlowCommand<Declared>,
  options: FlowOptions,
): Promise<number> {
  const { startDeclared } = await import('../../core/start-flow.ts');
  const session = await connectTemporal(context);
  try {
    const { workflowId, firstExecutionRunId: runId } = await startDeclared(session.client, command.flow, command.input);
    const run = { client: session.client, workflowId, runId };
    if (!options.json) context.stderr.write(`${workflowId}${pageOf(session, workflowId)}\n`);
    if (options.wait === false) {
      if (options.json) context.stdout.write(`${JSON.stringify({ workflowId })}\n`);
      else context.stderr.write(`The flow runs in the background; follow it with: longhaul watch ${workflowId}\n`);
      return 0;
    }
    if (command.agrees) await agree(context, run);
    if (command.question !== null) await askForConfirmation(context, run, command.question);
    const result = (await followToEnd(context, run, options)) as ResultOf<Declared>;
    if (!options.json) return await command.print(result);
    context.stdout.write(`${JSON.stringify({ workflowId, ...(result as object) })}\n`);
    return command.exitCode?.(result) ?? 0;
  } finally {
    await session.close();
  }
}

/** The run that a command started, joined or was given. */
export type RunReference = Omit<FollowOptions, 'show'>;

/** Follows a flow until it ends; an interruption leaves it running. */
export async function followToEnd(context: CliContext, run: RunReference, options: FlowOptions): Promise<unknown> {
  const interruption = new AbortController();
  const detach = (): void => interruption.abort(leave(context, run));
  context.signals.once('SIGINT', detach);
  try {
    return await follow(context, { ...run, show: options.json !== true }, interruption.signal);
  } finally {
    context.signals.off('SIGINT', detach);
  }
}

/** Prints how to follow a flow that continues. */
function leave({ stderr }: CliContext, { workflowId }: RunReference): Interrupted {
  stderr.write(`\nThe flow continues; follow it again with: longhaul watch ${workflowId}\n`);
  return new Interrupted();
}

function pageOf({ uiUrl, client }: TemporalSession, workflowId: string): string {
  if (uiUrl === null) return '';
  return `  ${uiUrl}/namespaces/${client.options.namespace}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Shows the flow's question and sends the person's answer. */
export async function askForConfirmation(
  context: CliContext,
  run: RunReference,
  question: (progress: FlowProgress) => string,
): Promise<void> {
  const progress = await followUntilAsked(context, run);
  if (progress === null) return;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: context.stdin, output: context.stderr });
  const asked = question(progress).split('\n').map(printable).join('\n');
  const over = new AbortController();
  const { signal } = over;
  const interrupted = new Promise<never>((_resolve, reject) => {
    terminal.once('SIGINT', () => reject(leave(context, run)));
  });
  // the end of the input is not an answer, and "no" is the safe default
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([
      terminal.question(`${asked} [y/N]: `, { signal }),
      ended,
      interrupted,
      untilAnswered(run, signal).then(() => null),
    ]);
    if (answer === null) context.stderr.write('\nIt was answered elsewhere.\n');
    else await confirm(context, run, /^y(es)?$/i.test(answer.trim()));
  } finally {
    over.abort();
    terminal.close();
  }
}

/** Confirms when a joined run asks; a run of this command does not ask. */
async function agree(context: CliContext, run: RunReference): Promise<void> {
  const progress = await readProgress(run.client.workflow.getHandle(run.workflowId, run.runId));
  if (progress?.stage === 'waiting for confirmation') await confirm(context, run, true);
}

async function confirm(
  context: CliContext,
  { client, workflowId, runId }: RunReference,
  proceed: boolean,
): Promise<void> {
  await client.workflow.getHandle(workflowId, runId).executeUpdate('confirm', {
    args: [{ proceed, by: context.env['USER'] ?? context.env['LOGNAME'] ?? 'unknown' }],
    updateId: `confirm-${workflowId}-${process.pid}`,
  });
}
