import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { makeFolder } from '../../../stack/folder.ts';
import { findRunningStack } from '../../../stack/running-stack.ts';
import type { RunningStack } from '../../../stack/running-stack.ts';
import type { CliContext } from '../../core/context.ts';
import { progressLines } from './progress-lines.ts';
import { INTERRUPTED } from '../../core/errors.ts';
import { namingStackFailures } from '../../core/stack-failure.ts';
import { stackTable } from './stack-table.ts';
import type { SupervisorMessage } from './supervisor-process.ts';
import type { SupervisorContext } from './supervisor.ts';
import { startStackAndWorker } from './supervisor.ts';

/** Options of `longhaul up`. */
export interface UpOptions {
  /** Leave the stack running in the background and return when it is ready. */
  readonly detach: boolean;
}

/**
 * Starts the stack and a worker. In the foreground it runs until Ctrl-C or SIGTERM and returns 0; with `detach` it
 * returns 0 as soon as everything is ready, also when everything was running already. Returns 3 in the foreground when
 * a stack already runs on this data folder, 130 when it was interrupted while starting. Throws `StackFailed`.
 */
export async function up(options: UpOptions, context: CliContext): Promise<number> {
  return namingStackFailures(async () => {
    const running = findRunningStack(context.dataDir);
    if (running !== null) return printRunning(running, options, context);
    return options.detach ? upDetached(context) : upForeground(context);
  });
}

function printRunning(running: RunningStack, options: UpOptions, context: CliContext): number {
  const { state, pid } = running;
  const starting = state.status === 'starting' ? ' (still starting)' : '';
  context.stderr.write(`A stack is already running on ${context.dataDir}, by process ${pid}${starting}.\n`);
  context.stdout.write(`${stackTable(state, context)}\n`);
  return options.detach ? 0 : FAILURES.StackFailed.exitCode;
}

async function upForeground(context: CliContext): Promise<number> {
  const interrupts = catchInterrupts(context);
  try {
    const stack = await startStackAndWorker(context, {
      onProgress: progressLines(context.stderr),
      signal: interrupts.signal,
    });
    interrupts.onSecond(() => stack.kill());
    const running = findRunningStack(context.dataDir);
    if (running !== null) context.stdout.write(`${stackTable(running.state, context)}\n`);
    context.stderr.write('Ctrl-C stops all of it.\n');
    await interrupts.first;
    context.stderr.write('Stopping.\n');
    await stack.stop();
    return 0;
  } catch (error) {
    if (interrupts.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    interrupts.release();
  }
}

interface Interrupts {
  readonly signal: AbortSignal;
  /** Resolves at the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly first: Promise<void>;
  /** The action of a further signal before the process ends. */
  onSecond(action: () => void): void;
  release(): void;
}

function catchInterrupts({ signals }: CliContext): Interrupts {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const controller = new AbortController();
  let second: (() => void) | null = null;
  const first = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      second?.();
      process.exit(INTERRUPTED);
    }
    controller.abort();
  };
  for (const name of names) signals.on(name, onSignal);
  return {
    signal: controller.signal,
    first,
    onSecond: (action) => (second = action),
    release: () => {
      for (const name of names) signals.off(name, onSignal);
    },
  };
}

async function upDetached(context: CliContext): Promise<number> {
  const interrupts = catchInterrupts(context);
  const child = spawnSupervisor(context);
  const onInterrupt = (): void => {
    child.kill('SIGTERM');
  };
  interrupts.signal.addEventListener('abort', onInterrupt);
  interrupts.onSecond(() => child.kill('SIGKILL'));
  try {
    const outcome = await outcomeOf(child, context);
    if (interrupts.signal.aborted) return INTERRUPTED;
    if (outcome !== null) throw new LonghaulError('StackFailed', outcome);
    const running = findRunningStack(context.dataDir);
    if (running !== null) context.stdout.write(`${stackTable(running.state, context)}\n`);
    return 0;
  } finally {
    interrupts.release();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function spawnSupervisor(context: CliContext): ChildProcess {
  const logDir = join(context.dataDir, 'logs');
  makeFolder(logDir);
  const log = openSync(join(logDir, 'supervisor.log'), 'a', 0o600);
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./supervisor-process.${extension}`, import.meta.url));
  try {
    const child = spawn(process.execPath, [program], {
      detached: true,
      env: context.env,
      stdio: ['ignore', log, log, 'ipc'],
    });
    const { config, configPath, dataDir, cacheDir } = context;
    child.send({ config, configPath, dataDir, cacheDir } satisfies SupervisorContext);
    return child;
  } finally {
    closeSync(log);
  }
}

/** Shows the supervisor's progress until it is ready (null) or ends (its message). */
function outcomeOf(child: ChildProcess, context: CliContext): Promise<string | null> {
  const onProgress = progressLines(context.stderr);
  return new Promise((resolve, reject) => {
    child.on('message', (message: SupervisorMessage) => {
      if (message.type === 'progress') onProgress(message.progress);
      else resolve(message.type === 'failed' ? message.message : null);
    });
    child.once('error', reject);
    child.once('exit', () => {
      resolve(`The supervisor ended while it started: see ${join(context.dataDir, 'logs', 'supervisor.log')}.`);
    });
  });
}
