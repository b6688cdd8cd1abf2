import { statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import type { ProcessEnd } from '../../platform/process-starter.ts';
import type { OutputPipe, OutputPipes } from './output-pipes.ts';
import { memoryOf } from './process-tree.ts';
import type { Ending, SandboxedEnd, SandboxedProgram, SandboxLimits } from './sandbox.ts';

/** A program that was started, with all processes that it starts. */
export interface StartedProgram {
  /** Its first process has ended. Rejects when the process that started it has ended. */
  readonly exited: Promise<ProcessEnd>;
  /** The pids of its processes at this moment. */
  processes(): readonly number[];
  /** Asks all of them to end: SIGTERM. */
  terminate(): void;
  /** Kills all of them. */
  kill(): void;
  /** Called when its first process has ended: ends the processes that it left, and waits until there are none. */
  finish(): Promise<void>;
  /**
   * Throws when the program was never started. `said` is the beginning of the output. @default the first process is the
   * program itself
   */
  checkStarted?(said: string, end: ProcessEnd): void;
}

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;
const WATCH_MS = 250;
/** Timers of Node cannot be longer. */
const LONGEST_MS = 2 ** 31 - 1;
/** How much of the output says why a program could not be started. */
const SAID_BYTES = 1_000;

/**
 * Runs a program to its end, within its limits. `start` gets the named pipe for stdout and stderr. When it resolves or
 * rejects, no process of the program is left.
 */
export async function runToEnd(
  program: SandboxedProgram,
  limits: SandboxLimits,
  pipes: OutputPipes,
  start: (output: string) => Promise<StartedProgram>,
): Promise<SandboxedEnd> {
  const { signal, timeoutSeconds, folder } = program;
  const pipe = await pipes.open();
  try {
    if (signal.aborted) return { exitCode: null, signal: null, ended: 'cancelled', durationMs: 0 };
    const since = performance.now();
    const started = await start(pipe.path);
    pipe.handOver();
    const ender = createEnder(started);
    const watch = setInterval(() => void checkLimits(started, folder, limits, ender.end), WATCH_MS);
    const timer = setTimeout(() => ender.end('timeout'), Math.min(timeoutSeconds * 1_000, LONGEST_MS));
    const onAbort = (): void => ender.end('cancelled');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const output = readOutput(pipe, program, limits, ender.end);
    // without a reader it would wait for ever
    output.done.catch(() => started.kill());
    try {
      const end = await exitOf(started);
      const { code, killedBy } = end;
      const durationMs = performance.now() - since;
      const ended = ender.why();
      // also when the output cannot be taken
      const [finished, read] = await Promise.allSettled([started.finish(), output.done]);
      for (const part of [finished, read]) if (part.status === 'rejected') throw part.reason;
      if (ended !== null) return { exitCode: null, signal: null, ended, durationMs };
      started.checkStarted?.(output.beginning(), end);
      const name = killedBy ?? signalOf(code);
      return name === null
        ? { exitCode: code, signal: null, ended: 'exit', durationMs }
        : { exitCode: null, signal: name, ended: 'signal', durationMs };
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      ender.close();
      signal.removeEventListener('abort', onAbort);
    }
  } finally {
    pipe.close();
  }
}

interface Ender {
  /** Ends the program; the first reason counts. */
  readonly end: (why: Ending) => void;
  /** Why it is being ended; null when it is not. */
  why(): Ending | null;
  close(): void;
}

function createEnder(started: StartedProgram): Ender {
  let reason: Ending | null = null;
  let killing: NodeJS.Timeout | undefined;
  return {
    end(why) {
      if (reason !== null) return;
      reason = why;
      // a program that takes too much has no time for more
      if (why !== 'timeout' && why !== 'cancelled') return started.kill();
      started.terminate();
      killing = setTimeout(() => started.kill(), GRACE_MS);
    },
    why: () => reason,
    close: () => clearTimeout(killing),
  };
}

async function checkLimits(
  started: StartedProgram,
  folder: string,
  { memoryBytes, freeDiskBytes }: SandboxLimits,
  end: (why: Ending) => void,
): Promise<void> {
  if (memoryOf(started.processes(), memoryBytes) > memoryBytes) end('memory-limit');
  const disk = await statfs(folder).catch(() => null);
  if (disk !== null && disk.bavail * disk.bsize < freeDiskBytes) end('disk-limit');
}

function readOutput(
  pipe: OutputPipe,
  { onOutput }: SandboxedProgram,
  { outputBytes }: SandboxLimits,
  end: (why: Ending) => void,
): { readonly done: Promise<void>; beginning(): string } {
  let beginning = Buffer.alloc(0);
  let size = 0;
  const done = pipe.read(async (piece) => {
    const allowed = piece.subarray(0, Math.max(0, outputBytes - size));
    size += piece.length;
    if (beginning.length < SAID_BYTES) beginning = Buffer.concat([beginning, allowed]).subarray(0, SAID_BYTES);
    if (allowed.length > 0) await onOutput(allowed);
    if (size > outputBytes) end('output-limit');
  });
  return { done, beginning: () => beginning.toString('utf8').trim() };
}

/** How the program ended. When the process that started it has ended, nothing tells that any more: it is killed. */
async function exitOf(started: StartedProgram): Promise<ProcessEnd> {
  try {
    return await started.exited;
  } catch (error) {
    started.kill();
    await started.finish();
    throw error;
  }
}

/** The signal whose number is in an exit code. */
function signalOf(code: number | null): NodeJS.Signals | null {
  if (code === null || code <= 128) return null;
  const [name] = Object.entries(constants.signals).find(([, number]) => number === code - 128) ?? [];
  return (name as NodeJS.Signals | undefined) ?? null;
}
