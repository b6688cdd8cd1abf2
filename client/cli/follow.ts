import type { Client, WorkflowHandle } from '@temporalio/client';
import type { FleetProgress, FleetResult, RepositoryOutcome } from '../../domain/catalog/flows.ts';
import type { CliContext } from './context.ts';
import { printable } from './printable.ts';

/** How often the flow is asked for its progress. */
const POLL_MS = 400;

/** What following a flow needs. */
export interface FollowOptions {
  readonly client: Client;
  readonly workflowId: string;
  /** Show bars (terminal) or lines; false with `--json`. */
  readonly show: boolean;
}

/**
 * Waits for a flow's result and meanwhile shows the progress that the flow itself reports. The command may be killed at
 * any time: the flow goes on, and `longhaul watch` follows it again.
 */
export async function follow(
  context: CliContext,
  { client, workflowId, show }: FollowOptions,
): Promise<FleetResult | RepositoryOutcome> {
  const handle = client.workflow.getHandle(workflowId);
  const result = handle.result() as Promise<FleetResult | RepositoryOutcome>;
  const finished = result.then(
    () => true,
    () => true,
  );
  if (!show) return result;
  const display = await openDisplay(context);
  try {
    while (!(await Promise.race([finished, pause()]))) {
      const progress = await readProgress(handle);
      if (progress !== null) display.update(progress);
    }
    const last = await readProgress(handle);
    if (last !== null) display.update(last);
  } finally {
    display.close();
  }
  return result;
}

/** The flow's own answer; null while no worker answers or when the flow has no such query. */
export async function readProgress(handle: WorkflowHandle): Promise<FleetProgress | null> {
  try {
    return await handle.query<FleetProgress>('progress');
  } catch {
    return null;
  }
}

interface Display {
  update(progress: FleetProgress): void;
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
      bar.setTotal(Math.max(1, progress.total));
      bar.update(progress.succeeded + progress.failed, { stage: progress.stage, counts: countsOf(progress) });
    },
    close: () => bar.stop(),
  };
}

function lines(stderr: NodeJS.WriteStream): Display {
  let last = '';
  return {
    update: (progress) => {
      const line = `${progress.stage}: ${progress.succeeded + progress.failed}/${progress.total}  ${countsOf(progress)}`;
      if (line !== last) stderr.write(`${line}\n`);
      last = line;
    },
    close: () => undefined,
  };
}

function countsOf({ filesChanged, objectsWritten, objectsDeleted, failed, running }: FleetProgress): string {
  const counts = [`${filesChanged} files`, `+${objectsWritten} -${objectsDeleted} objects`];
  if (failed > 0) counts.push(`${failed} failed`);
  const [first] = running;
  if (first !== undefined) counts.push(running.length === 1 ? first : `${first} and ${running.length - 1} more`);
  return printable(counts.join('  '));
}

function pause(): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), POLL_MS);
  });
}
