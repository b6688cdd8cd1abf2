import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { commandEnv } from './command.ts';
import type { Estate } from './estate.ts';

/** A worker in its own process, so that it can be killed. */
export interface WorkerProcess {
  readonly pid: number;
  /** Kills it without a chance to clean up, with all its child processes. */
  kill(): Promise<void>;
  /** Ends it as an operator would, with SIGTERM. */
  stop(): Promise<void>;
  /** How it ended; nulls while it runs. */
  ended(): WorkerEnd;
  /** Its log, one JSON object per line. */
  log(): string;
}

/** How a worker process ended: with an exit code, or by a signal. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How a worker process differs from one that serves all roles of an estate. */
export interface WorkerProcessOptions {
  /** Changes to its environment; undefined removes a variable. */
  readonly env?: Record<string, string | undefined>;
  readonly args?: readonly string[];
  /** Makes its own bundle of flows, as a worker from the sources does. @default the bundle of all tests */
  readonly ownBundle?: boolean;
}

const MAIN = fileURLToPath(new URL('../../workers/main.ts', import.meta.url));
const READY_BUNDLE = new URL('./ready-bundle.ts', import.meta.url).href;

/** Starts a worker for an estate and waits until it is ready. */
export async function startWorkerProcess(estate: Estate, options: WorkerProcessOptions = {}): Promise<WorkerProcess> {
  const { child, ...worker } = spawnWorkerProcess(estate, options);
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', () => {
      if (worker.log().includes('"worker_ready"')) resolve();
    });
    child.once('exit', (code) =>
      reject(new Error(`the worker ended with ${code} before it was ready: ${worker.log()}`)),
    );
  });
  return worker;
}

/** Starts a worker for an estate, which may never become ready. */
export function spawnWorkerProcess(
  estate: Estate,
  { env = {}, args = [], ownBundle = false }: WorkerProcessOptions = {},
): WorkerProcess & { readonly child: ChildProcess } {
  const bundle = ownBundle ? [] : ['--import', READY_BUNDLE];
  const child = spawn(process.execPath, [...bundle, MAIN, ...args], {
    env: { ...commandEnv(estate, env), READY_BUNDLE: inject('stack').workflowBundle },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const end = async (name: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    process.kill(name === 'SIGKILL' ? -child.pid : child.pid, name);
    await exited;
  };
  return {
    child,
    pid: child.pid ?? 0,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    ended: () => ({ code: child.exitCode, signal: child.signalCode }),
    log: () => log,
  };
}
