import type { Client } from '@temporalio/client';
import type { LedgerDatabase } from '../../../activities/ledger/open-ledger.ts';
import { FAILURES, type FailureType } from '../../../domain/shared/failures.ts';
import type { AnyFlow, GivenOf, ResultOf } from '../../../domain/shared/flow.ts';
import { messageOf } from '../../../platform/error-code.ts';
import { userName } from '../../core/user-name.ts';
import type { CliContext } from '../../core/context.ts';
import { Interrupted } from '../../core/errors.ts';
import { printable } from '../../core/sanitize.ts';
import { askGateway, KEY_VARIABLE } from '../gates/gateway-client.ts';
import { chainOf, readProgress, type RunChain, updateHandleOf } from '../../core/run-chain.ts';
import { follow, followUntilAsked, untilAnswered } from './follow.ts';
import { connectTemporal, type TemporalSession } from '../../core/servers.ts';

/** Options of every command that starts a flow. */
export interface FlowOptions {
  /** Print only one JSON object, at the end. */
  readonly json?: boolean;
  /** False with `--no-wait`: start the flow and return. */
  readonly wait?: boolean;
}

/** A command that starts a flow. */
export interface FlowCommand<Declared extends AnyFlow> {
  readonly flow: Declared;
  readonly input: GivenOf<Declared>;
  /**
   * True when the flow asks for a confirmation before its work: the command shows it and sends the answer. @default
   * false
   */
  readonly asks?: boolean;
  /** True to confirm without asking, also for a joined run that waits for an answer. @default false */
  readonly agrees?: boolean;
  /** Prints the result. Returns the exit code. */
  readonly print: (result: ResultOf<Declared>) => Promise<number> | number;
  /** The exit code of a result that is printed as JSON. @default 0 */
  readonly exitCode?: (result: ResultOf<Declared>) => number;
  /** Failures that carry a result, which is printed like one; the exit code is that of the failure. @default none */
  readonly failsWithResult?: readonly FailureType[];
  /** Shows the run instead of its progress, until the signal is aborted. @default its progress */
  readonly show?: (client: Client, signal: AbortSignal) => Promise<void>;
}

/** Starts a flow and, unless `wait` is false, follows it to its end. Returns the exit code. */
export async function runFlow<Declared extends AnyFlow>(
  context: CliContext,
  command: FlowCommand<Declared>,
  options: FlowOptions,
): Promise<number> {
  const session = await connectTemporal(context);
  try {
    const { client } = session;
    const { workflowId, runId } = isPersonKnown(context, command.flow)
      ? await startAtGateway(context, command)
      : await startHere(context, client, command);
    if (!options.json) context.stderr.write(`${workflowId}${pageOf(session, workflowId)}\n`);
    if (options.wait === false) {
      if (options.json) context.stdout.write(`${JSON.stringify({ workflowId })}\n`);
      else context.stderr.write(`The flow runs in the background; follow it with: longhaul watch ${workflowId}\n`);
      return 0;
    }
    // a run that was joined may be a later one of its chain
    const run = chainOf(client, await client.workflow.getHandle(workflowId, runId).describe());
    if (command.agrees) await agree(context, run);
    if (command.asks) await askForConfirmation(context, run);
    const { result: ended, failure } = await endOf(shownToEnd(context, run, command, options), command.failsWithResult);
    const result = ended as ResultOf<Declared>;
    const exitCode = failure === null ? null : FAILURES[failure].exitCode;
    if (!options.json) {
      const printed = await command.print(result);
      return exitCode ?? printed;
    }
    context.stdout.write(`${JSON.stringify({ workflowId, ...(result as object) })}\n`);
    return exitCode ?? command.exitCode?.(result) ?? 0;
  } finally {
    await session.close();
  }
}

/** A run that was started or joined. */
interface StartedFlow {
  readonly workflowId: string;
  readonly runId: string;
}

/** Whether the gateway can record who starts a flow: people are configured, and this person has a key. */
function isPersonKnown({ config, env }: CliContext, { isRequested }: AnyFlow): boolean {
  return isRequested && config.people.length > 0 && Boolean(env[KEY_VARIABLE]);
}

/** Starts a flow through the gateway, which records who this person is. */
async function startAtGateway<Declared extends AnyFlow>(
  context: CliContext,
  { flow, input }: FlowCommand<Declared>,
): Promise<StartedFlow> {
  return askGateway(context, `/flows/${flow.type}`, input as object);
}

async function startHere<Declared extends AnyFlow>(
  context: CliContext,
  client: Client,
  { flow, input }: FlowCommand<Declared>,
): Promise<StartedFlow> {
  const [{ startChecked }, { parseInput }, { recordingLock }] = await Promise.all([
    import('../../core/start-flow.ts'),
    import('../../../domain/shared/flow.schema.ts'),
    import('../../core/locked-start.ts'),
  ]);
  const checked = parseInput(flow, input);
  const record = {
    actor: { name: userName(context.env), authenticatedBy: 'unauthenticated' },
    withLedger: (work: (ledger: LedgerDatabase) => Promise<void>) => withGatesLedger(context, work),
    onMissing: (error: unknown) =>
      void context.stderr.write(`The audit trail does not have this refusal: ${printable(messageOf(error))}\n`),
  } as const;
  const { workflowId, firstExecutionRunId: runId } = await recordingLock(flow, checked as object, record, () =>
    startChecked(client, flow, checked),
  );
  return { workflowId, runId };
}

/** Uses the ledger with the login of the gateway; does nothing where this machine has none. */
async function withGatesLedger(context: CliContext, work: (ledger: LedgerDatabase) => Promise<void>): Promise<void> {
  const { findGatesLogin } = await import('../../core/ledger.ts');
  const url = await findGatesLogin(context);
  if (url === null) return;
  const { withLedger } = await import('../../../activities/ledger/open-ledger.ts');
  await withLedger(url, work);
}

/** Follows a flow to its end, and shows it in the way of the command. */
async function shownToEnd(
  context: CliContext,
  run: RunChain,
  { show }: Pick<FlowCommand<AnyFlow>, 'show'>,
  options: FlowOptions,
): Promise<unknown> {
  if (show === undefined || options.json) return followToEnd(context, run, options);
  const ended = new AbortController();
  const showing = show(run.client, ended.signal);
  try {
    return await followToEnd(context, run, { ...options, json: true });
  } finally {
    ended.abort();
    await showing;
  }
}

/** How a flow ended that has a result, although it may have failed. */
interface End {
  readonly result: unknown;
  readonly failure: FailureType | null;
}

async function endOf(ending: Promise<unknown>, carriers: readonly FailureType[] = []): Promise<End> {
  try {
    return { result: await ending, failure: null };
  } catch (error) {
    const { ApplicationFailure } = await import('@temporalio/common');
    const cause = error instanceof Error ? error.cause : undefined;
    if (!(cause instanceof ApplicationFailure) || cause.details?.[0] == null) throw error;
    const failure = carriers.find((type) => type === cause.type);
    if (failure === undefined) throw error;
    return { result: cause.details[0], failure };
  }
}

/** Follows a flow until it ends; an interruption leaves it running. */
export async function followToEnd(context: CliContext, run: RunChain, options: FlowOptions): Promise<unknown> {
  const interruption = new AbortController();
  const detach = (): void => interruption.abort(leave(context, run));
  context.signals.once('SIGINT', detach);
  try {
    return await follow(context, run, { show: options.json !== true, signal: interruption.signal });
  } finally {
    context.signals.off('SIGINT', detach);
  }
}

/** Prints how to follow the flow, which continues. */
function leave({ stderr }: CliContext, { workflowId }: RunChain): Interrupted {
  stderr.write(`\nThe flow continues; follow it again with: longhaul watch ${workflowId}\n`);
  return new Interrupted();
}

function pageOf({ uiUrl, client }: TemporalSession, workflowId: string): string {
  if (uiUrl === null) return '';
  return `  ${uiUrl}/namespaces/${client.options.namespace}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Shows the flow's question and sends the person's answer. */
export async function askForConfirmation(context: CliContext, run: RunChain): Promise<void> {
  const asks = (await followUntilAsked(context, run))?.asks ?? null;
  if (asks === null) return;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: context.stdin, output: context.stderr });
  const asked = [...asks.lines.map((line) => `  ${line}`), asks.question].map(printable).join('\n');
  const done = new AbortController();
  const { signal } = done;
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
    if (answer === null) context.stderr.write('\nAnswered elsewhere.\n');
    else await confirm(context, run, /^y(es)?$/i.test(answer.trim()));
  } finally {
    done.abort();
    terminal.close();
  }
}

/** Confirms if a joined run asks; a run that this command started does not. */
async function agree(context: CliContext, run: RunChain): Promise<void> {
  const progress = await readProgress(run);
  if (progress !== null && progress.asks !== null) await confirm(context, run, true);
}

async function confirm(context: CliContext, run: RunChain, proceed: boolean): Promise<void> {
  await updateHandleOf(run).executeUpdate('confirm', {
    args: [{ proceed, by: userName(context.env) }],
    updateId: `confirm-${run.workflowId}-${process.pid}`,
  });
}
