import { setTimeout as delay } from 'node:timers/promises';
import type { JobService } from '../../../domain/release/contracts/pipeline.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { PrivateNetwork, Sandbox } from '../../sandbox/sandbox.ts';
import type { JobLog } from './job-log.ts';
import { createOutputTail, LONGEST_TAIL } from './output-tail.ts';

/** Where and with what the services of a job run. */
export interface ServicePlace {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: JobLog;
  /** Ends them. */
  readonly signal: AbortSignal;
}

/** The services of a job, which are ready. */
export interface RunningServices {
  /** The network that they share with the job. */
  readonly network: PrivateNetwork;
  /** Ends all of them and their network. */
  close(): Promise<void>;
}

/** Between two attempts of a check. */
const CHECK_MS = 200;
/** What a service may run in all: its job ends it before. */
const LONGEST_SECONDS = 86_400 * 2;

/**
 * Starts the services of a job in a network of its own, and waits until the ready check of each exits with 0. Throws
 * `InvalidInput` for one that ends before, or is not ready in time; the log has the end of its output.
 */
export async function startServices(
  services: Readonly<Record<string, JobService>>,
  { sandbox, folder, env, log, signal }: ServicePlace,
): Promise<RunningServices> {
  const network = await sandbox.openNetwork();
  const stop = new AbortController();
  const ended: Promise<unknown>[] = [];
  const close = async (): Promise<void> => {
    stop.abort();
    await Promise.allSettled(ended);
    await network.close();
  };
  const start = async ([name, service]: [string, JobService]): Promise<void> => {
    const output = createOutputTail();
    const all = { ...env, ...service.env };
    const common = { folder, env: all, network };
    const over = new AbortController();
    const running = sandbox
      .run({
        ...common,
        argv: programOf(service),
        timeoutSeconds: LONGEST_SECONDS,
        signal: AbortSignal.any([signal, stop.signal]),
        onOutput: (piece) => output.write(piece),
      })
      .finally(() => over.abort());
    running.catch(() => undefined);
    ended.push(running);
    const until = performance.now() + service.ready.timeout * 1_000;
    while (performance.now() < until && !over.signal.aborted) {
      signal.throwIfAborted();
      const { exitCode } = await sandbox.run({
        ...common,
        argv: programOf(service.ready),
        timeoutSeconds: Math.max(0.1, (until - performance.now()) / 1_000),
        signal,
        onOutput: () => undefined,
      });
      if (exitCode === 0 && !over.signal.aborted) return;
      await delay(CHECK_MS);
    }
    signal.throwIfAborted();
    const what = over.signal.aborted
      ? 'ended before it was ready'
      : `was not ready after ${service.ready.timeout} seconds`;
    await log.note(output.text(LONGEST_TAIL).trimEnd());
    throw new LonghaulError('InvalidInput', `The service ${name} ${what}.`);
  };
  try {
    await Promise.all(Object.entries(services).map(start));
    return { network, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The program of a step, a service or a check: text for bash, or a program and its arguments. */
export function programOf({
  command,
  run,
}: {
  readonly command?: string | undefined;
  readonly run?: readonly string[] | undefined;
}): readonly [string, ...string[]] {
  const [program = 'false', ...args] = run ?? ['bash', '-euo', 'pipefail', '-c', command ?? 'false'];
  return [program, ...args];
}
