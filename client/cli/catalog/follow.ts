import type { Client, WorkflowHandle } from '@temporalio/client';
import type { ReembedProgress } from '../../../domain/catalog/flows/build-flows.ts';
import type { FollowResult } from '../../../domain/catalog/flows/follow.ts';
import type { FleetProgress } from '../../../domain/catalog/flows/fleet.ts';
import { waitingFor } from '../../../domain/catalog/flows/progress.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';
import type { CliContext } from '../../core/context.ts';
import type { Output } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';

/** How often the flow is asked for its progress. */
const POLL_MS = 400;

/** A worker that is there has begun by then. */
const PATIENCE_MS = 5_000;

/** What following a flow needs. */
export interface FollowOptions {
  readonly client: Client;
  readonly workflowId: string;
  /** The run that is meant; whichever has the id, when it is left out. */
  readonly runId?: string;
  /** Show bars (terminal) or lines; false with `--json`. */
  readonly show: boolean;
}

/**
 * Waits for a flow's result and meanwhile shows the progress that the flow itself reports. Rejects with the reason of `signal`
 * when that aborts: the flow goes on, and `longhaul watch` follows it again.
 */
export async function follow(
  context: CliContext,
  { client, workflowId, runId, show }: FollowOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const result = untilAborted<unknown>(signal, client.workflow.getHandle(workflowId, runId).result());
  if (show) await watch(context, client, workflowId, result, () => false, signal);
  return result;
}

/** Shows a flow's progress until it asks a person something: what it shows then; null when it ended without. */
export async function followUntilAsked(
  context: CliContext,
  { client, workflowId, runId }: Omit<FollowOptions, 'show'>,
): Promise<FlowProgress | null> {
  const result = client.workflow.getHandle(workflowId, runId).result() as Promise<unknown>;
  const last = await watch(context, client, workflowId, result, isAsking);
  return last !== null && isAsking(last) ? last : null;
}

/** Resolves when a flow no longer asks: it was answered elsewhere, or it ended. Rejects with the signal's reason. */
export async function untilAnswered(
  { client, workflowId, runId }: Omit<FollowOptions, 'show'>,
  signal: AbortSignal,
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const finished = handle.result().then(
    () => true,
    () => true,
  );
  for (let ended = false; !ended;) {
    const progress = await readProgress(handle);
    signal.throwIfAborted();
    if (progress !== null && !isAsking(progress)) return;
    ended = await Promise.race([finished, pause()]);
  }
}

/** Progress of any flow that has some. */
export type FlowProgress = FleetProgress | ReembedProgress | FollowResult;

function isAsking({ stage }: FlowProgress): boolean {
  return stage === 'waiting for confirmation';
}

async function watch(
  context: CliContext,
  client: Client,
  workflowId: string,
  result: Promise<unknown>,
  until: (progress: FlowProgress) => boolean,
  signal: AbortSignal | null = null,
): Promise<FlowProgress | null> {
  const handle = client.workflow.getHandle(workflowId);
  const finished = result.then(
    () => true,
    () => true,
  );
  const display = await openDisplay(context);
  const hint = setTimeout(() => void nameMissingWorkers(context, client), PATIENCE_MS);
  try {
    for (let ended = false; ;) {
      const asked = readProgress(handle);
      // without a worker Temporal answers only after a while
      const progress = await (signal === null ? asked : untilAborted(signal, asked));
      if (progress !== null) display.update(await shown(client, progress));
      if (ended || (progress !== null && until(progress))) return progress;
      ended = await Promise.race([finished, pause()]);
    }
  } finally {
    clearTimeout(hint);
    display.close();
  }
}

/** Warns that a flow cannot continue because no worker polls its task queue. */
async function nameMissingWorkers({ stderr }: CliContext, client: Client): Promise<void> {
  const { unpolledQueues } = await import('../../../activities/shared/unpolled-queues.ts');
  const unpolled = await unpolledQueues(client).catch(() => []);
  if (unpolled.length === 0) return;
  const { namespace } = client.options;
  stderr.write(
    `\nNo worker serves ${unpolled.join(' and ')} in the namespace ${namespace}: the flow waits until one does. ` +
      'Start one with: longhaul worker (longhaul doctor says more)\n',
  );
}

/** What a flow says of itself; while a child does its work, what the child says. */
async function shown(client: Client, progress: FlowProgress): Promise<FlowProgress> {
  if (!('filling' in progress) || progress.filling === null) return progress;
  const child = await readProgress(client.workflow.getHandle(progress.filling));
  return child ?? progress;
}

/** The flow's own answer; null while no worker answers or when the flow has no such query. */
export async function readProgress(handle: WorkflowHandle): Promise<FlowProgress | null> {
  try {
    return await handle.query<FlowProgress>('progress');
  } catch {
    return null;
  }
}

interface Display {
  update(progress: FlowProgress): void;
  close(): void;
}

async function openDisplay({ stderr }: CliContext): Promise<Display> {
  if (!stderr.isTTY) return lines(stderr);
  const { SingleBar, Presets } = await import('cli-progress');
  const bar = new SingleBar(
    { format: '{stage} {bar} {value}/{total}  {counts}', stream: stderr, hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  bar.start(1, 0, { stage: 'mgit list', counts: '' });
  return {
    update: (progress) => {
      const { done, total } = amountOf(progress);
      bar.setTotal(Math.max(1, total));
      bar.update(done, { stage: progress.stage, counts: countsOf(progress) });
    },
    close: () => bar.stop(),
  };
}

function lines(stderr: Output): Display {
  let last = '';
  return {
    update: (progress) => {
      const { done, total } = amountOf(progress);
      const line = `${progress.stage}: ${done}/${total}  ${countsOf(progress)}`;
      if (line !== last) stderr.write(`${line}\n`);
      last = line;
    },
    close: () => undefined,
  };
}

/** Repositories worked on, or events that were acted on, of how many. */
function amountOf(progress: FlowProgress): { done: number; total: number } {
  if ('total' in progress) {
    const done = progress.succeeded + progress.failed;
    // what could not be asked was never among what there is to do
    return { done, total: Math.max(done, progress.total) };
  }
  if ('rounds' in progress) return { done: progress.events - progress.pending, total: progress.events };
  return { done: progress.repositories, total: progress.repositories + progress.failed };
}

function countsOf(progress: FlowProgress): string {
  if ('rounds' in progress) return `events  ${progress.rounds} rounds`;
  const { objectsWritten, failed } = progress;
  if (!('running' in progress)) return `${objectsWritten} objects${failed > 0 ? `  ${failed} failed` : ''}`;
  const { filesChanged, objectsDeleted, running } = progress;
  const counts = [`${filesChanged} files`, `+${objectsWritten} -${objectsDeleted} objects`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (progress.waiting) counts.push(waitingFor(progress.waiting));
  const [first] = running;
  if (first !== undefined) counts.push(running.length === 1 ? first : `${first} and ${running.length - 1} more`);
  return printable(counts.join('  '));
}

function pause(): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), POLL_MS);
  });
}
