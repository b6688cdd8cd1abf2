import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { identify } from '../platform/process-identity.ts';
import type { ProcessIdentity } from '../platform/process-identity.ts';
import { type Account, killGroup } from '../platform/program.ts';
import type { OnProgress } from './progress.ts';
import { messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/** A program that runs as long as the stack does. */
export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Its standard input, at every start. @default none */
  readonly input?: string;
  /** Its working folder. @default that of this process */
  readonly cwd?: string;
  /** The user that runs it; only root can choose one. @default that of this process */
  readonly account?: Account;
  /** Its output is appended here; renamed to `.1` at a start when it is larger than 20 MB. */
  readonly logFile: string;
  /** Resolves when the program answers. `logged` returns what it has logged since its start. */
  ready(signal: AbortSignal, logged: () => string): Promise<void>;
  /** Milliseconds until it must be ready. */
  readonly readyTimeout: number;
  /** The signal that asks it to end. @default SIGTERM */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds between that signal and SIGKILL. */
  readonly stopTimeout: number;
  /** Called before every start. */
  beforeStart?(): void;
}

/** A supervised program: restarted, with growing pauses, whenever it ends by itself. */
export interface SupervisedChild {
  readonly name: string;
  /** Asks it to stop, and after the timeout its whole process group with SIGKILL. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL, now. */
  kill(): void;
}

const LOG_LIMIT = 20_000_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** After this many milliseconds of uptime, pauses start again from the shortest. */
const SETTLED = 60_000;

/**
 * Starts a program and resolves when it is ready. Afterwards it is restarted until {@link SupervisedChild.stop}.
 * `onStart` is called with every new process, before anything else happens. Throws {@link StackError} with the last
 * lines of the log when it ends or is not ready in time at the first start.
 */
export async function superviseChild(
  spec: ChildSpec,
  hooks: { onStart: (identity: ProcessIdentity) => void; onProgress: OnProgress; signal?: AbortSignal | undefined },
): Promise<SupervisedChild> {
  const stopped = new AbortController();
  const signal = hooks.signal ? AbortSignal.any([hooks.signal, stopped.signal]) : stopped.signal;
  let current = launch(spec, hooks.onStart);
  try {
    await waitUntilReady(spec, current, signal);
  } catch (error) {
    await terminate(current.process, spec);
    throw error;
  }

  const restartForever = async (): Promise<void> => {
    let pause = FIRST_PAUSE / 2;
    for (;;) {
      const since = Date.now();
      await current.ended;
      killGroup(current.process, 'SIGKILL');
      if (stopped.signal.aborted) return;
      pause = Date.now() - since > SETTLED ? FIRST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
      const ending = describeEnding(current.process);
      hooks.onProgress({ about: spec.name, message: `${ending}; restarting it in ${pause} ms`, passing: false });
      try {
        await wait(pause, undefined, { signal: stopped.signal });
        // The pause may have ended in the same tick as the stop.
        stopped.signal.throwIfAborted();
        current = launch(spec, hooks.onStart);
        await waitUntilReady(spec, current, stopped.signal);
        hooks.onProgress({ about: spec.name, message: 'is back', passing: false });
      } catch (error) {
        if (stopped.signal.aborted) return;
        hooks.onProgress({ about: spec.name, message: messageOf(error), passing: false });
        killGroup(current.process, 'SIGKILL');
      }
    }
  };
  const restarting = restartForever();
  return {
    name: spec.name,
    stop: async () => {
      stopped.abort();
      await terminate(current.process, spec);
      await restarting;
    },
    kill: () => {
      stopped.abort();
      killGroup(current.process, 'SIGKILL');
    },
  };
}

interface Launched {
  readonly process: ChildProcess;
  /** Resolves when the process has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly logged: () => string;
}

function launch(spec: ChildSpec, onStart: (identity: ProcessIdentity) => void): Launched {
  spec.beforeStart?.();
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const before = statSync(spec.logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (before > LOG_LIMIT) renameSync(spec.logFile, `${spec.logFile}.1`);
  const offset = before > LOG_LIMIT ? 0 : before;
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    // A separate session: a Ctrl-C in the terminal reaches only the supervisor, which then stops all in order.
    const { env, cwd, account, input } = spec;
    const stdin = input === undefined ? 'ignore' : 'pipe';
    const child = spawn(spec.command, spec.args, { env, cwd, ...account, stdio: [stdin, log, log], detached: true });
    // one that ends early does not read it
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const identity = child.pid === undefined ? null : identify(child.pid);
    if (identity !== null) onStart(identity);
    return { process: child, ended, logged: () => readFrom(spec.logFile, offset) };
  } finally {
    closeSync(log);
  }
}

function readFrom(file: string, offset: number): string {
  const handle = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - offset));
    return bytes.toString('utf8', 0, readSync(handle, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(handle);
  }
}

async function waitUntilReady(spec: ChildSpec, launched: Launched, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const giveUp = new AbortController();
  const tooLate = AbortSignal.timeout(spec.readyTimeout);
  const waiting = AbortSignal.any([signal, giveUp.signal, tooLate]);
  const died = launched.ended.then(() => {
    throw new StackError(`${spec.name} ${describeEnding(launched.process)} while it started${excerpt(spec, launched)}`);
  });
  try {
    await Promise.race([spec.ready(waiting, launched.logged), died]);
  } catch (error) {
    signal.throwIfAborted();
    if (!tooLate.aborted) throw error;
    throw new StackError(`${spec.name} was not ready after ${spec.readyTimeout / 1000} s${excerpt(spec, launched)}`, {
      cause: error,
    });
  } finally {
    giveUp.abort();
    died.catch(() => undefined);
  }
}

function describeEnding(child: ChildProcess): string {
  if (child.pid === undefined) return 'could not be started';
  return child.signalCode === null ? `ended with exit code ${child.exitCode}` : `was ended by ${child.signalCode}`;
}

function excerpt(spec: ChildSpec, launched: Launched): string {
  const lines = launched
    .logged()
    .trim()
    .split('\n')
    .slice(-5)
    .map((line) => line.slice(0, 300));
  const said = lines.join('\n').trim();
  return `; see ${spec.logFile}${said === '' ? '.' : `, which ends with:\n${said}`}`;
}

async function terminate(
  child: ChildProcess,
  { stopSignal = 'SIGTERM', stopTimeout }: Pick<ChildSpec, 'stopSignal' | 'stopTimeout'>,
): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill(stopSignal);
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), stopTimeout);
    await ended;
    clearTimeout(timer);
  }
  // child processes that it may have left behind.
  killGroup(child, 'SIGKILL');
}

/** Repeats `attempt` until it returns a value other than null. Rejects when `signal` aborts. */
export async function poll<T>(attempt: () => Promise<T | null> | T | null, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const result = await attempt();
    if (result !== null) return result;
    await wait(50, undefined, { signal });
  }
}
