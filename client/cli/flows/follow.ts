import type { Client } from '@temporalio/client';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';
import type { CliContext } from '../../core/context.ts';
import { queryProgress, readProgress, resultOf, type RunChain } from '../../core/run-chain.ts';
import { openDisplay } from './display.ts';

/** Interval of progress queries. */
const POLL_MS = 400;

/** A running worker has started the flow by then. */
const PATIENCE_MS = 5_000;

/**
 * Waits for a flow's result and, unless `show` is false, shows its progress until then. Rejects with the reason of
 * `signal` when that aborts; the flow continues, and `longhaul watch` follows it again.
 */
export async function follow(
  context: CliContext,
  chain: RunChain,
  { show, signal }: { readonly show: boolean; readonly signal: AbortSignal },
): Promise<unknown> {
  const result = untilAborted<unknown>(signal, resultOf(chain));
  if (show) await watch(context, chain, result, () => false, signal);
  return result;
}

/** Shows a flow's progress until it asks a person. Returns its progress then; null when it ended without a question. */
export async function followUntilAsked(context: CliContext, chain: RunChain): Promise<FlowProgress | null> {
  const last = await watch(context, chain, resultOf(chain), isAsking);
  return last !== null && isAsking(last) ? last : null;
}

/**
 * Resolves when a flow no longer asks, because it was answered elsewhere or ended. Rejects with the signal's reason.
 */
export async function untilAnswered(chain: RunChain, signal: AbortSignal): Promise<void> {
  const finished = ended(resultOf(chain));
  for (let isOver = false; !isOver;) {
    const progress = await readProgress(chain);
    signal.throwIfAborted();
    if (progress !== null && !isAsking(progress)) return;
    isOver = await Promise.race([finished, pause()]);
  }
}

function isAsking({ asks }: FlowProgress): boolean {
  return asks !== null;
}

async function watch(
  context: CliContext,
  chain: RunChain,
  result: Promise<unknown>,
  until: (progress: FlowProgress) => boolean,
  signal: AbortSignal | null = null,
): Promise<FlowProgress | null> {
  const { client } = chain;
  const finished = ended(result);
  const display = await openDisplay(context);
  const hint = setTimeout(() => void nameMissingWorkers(context, client), PATIENCE_MS);
  try {
    for (let isOver = false; ;) {
      const asked = readProgress(chain);
      // without a worker Temporal answers only after a while
      const progress = await (signal === null ? asked : untilAborted(signal, asked));
      if (progress !== null) {
        const child = ofChild(client, progress);
        display.update(await (signal === null ? child : untilAborted(signal, child)));
      }
      if (isOver || (progress !== null && until(progress))) return progress;
      isOver = await Promise.race([finished, pause()]);
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

/** The progress of a flow, or of the child that does its current stage. */
async function ofChild(client: Client, progress: FlowProgress): Promise<FlowProgress> {
  if (progress.child === undefined) return progress;
  const child = await queryProgress(client, progress.child).catch(() => null);
  return child ?? progress;
}

function ended(result: Promise<unknown>): Promise<boolean> {
  return result.then(
    () => true,
    () => true,
  );
}

function pause(): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), POLL_MS);
  });
}
