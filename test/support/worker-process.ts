import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { commandEnv } from './command.ts';
import type { Estate } from './estate.ts';

/** A worker as a process of its own, so that it can be killed. */
export interface WorkerProcess {
  /** Ends it without a chance to clean up, with everything that it started. */
  kill(): Promise<void>;
  /** Ends it as an operator would. */
  stop(): Promise<void>;
  /** What it logged, a JSON object a line. */
  log(): string;
}

/** Starts a worker for an estate, with changes to its environment and arguments, and waits until it says that it is ready. */
export async function startWorkerProcess(
  estate: Estate,
  { env = {}, args = [] }: { readonly env?: Record<string, string>; readonly args?: readonly string[] } = {},
): Promise<WorkerProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../workers/main.ts', import.meta.url)), ...args],
    {
      env: commandEnv(estate, env),
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    },
  );
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (data: Buffer) => {
      log += data.toString();
      if (log.includes('"worker_ready"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code} before it was ready: ${log}`)));
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    await exited;
  };
  return { kill: () => end('SIGKILL'), stop: () => end('SIGTERM'), log: () => log };
}
