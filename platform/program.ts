import { randomUUID } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { constants, readFileSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, resolve as resolvePath } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type * as Execa from 'execa';
import { markedProcesses } from './marked-processes.ts';
import { isGroupOfZombies, signalGroup, signalProcess } from './process-signals.ts';
import { readProgramLines } from './program-lines.ts';

/** A user of the system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** How to run a program. No shell is involved: arguments reach the program unchanged. */
export interface ProgramOptions {
  /** The complete environment of the program; see {@link pick}. */
  readonly env: NodeJS.ProcessEnv;
  /** Working folder of the program. @default that of this process */
  readonly cwd?: string;
  /** The user that runs it; only root can choose one. @default that of this process */
  readonly account?: Account;
  /** Ends the program and all processes that it started. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the program is ended. @default no limit */
  readonly timeoutMs?: number;
  /** Milliseconds between SIGTERM and SIGKILL when the program is ended. @default 0, SIGKILL at once */
  readonly graceMs?: number;
  /** Resident bytes of the program itself above which it is killed; needs `/proc`. @default no limit */
  readonly maxMemoryBytes?: number;
  /**
   * True for a program that may leave a process running on purpose, such as the connection master of ssh. Its processes
   * are then killed only if the program is killed, not when it exits by itself. @default false
   */
  readonly mayLeaveProcesses?: boolean;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** True when it was killed because of `maxMemoryBytes`. */
  readonly tookTooMuchMemory: boolean;
}

/** A running program. */
export interface Program {
  readonly pid: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Settles when the program has ended and, unless it may leave processes, all processes that it started have ended
   * too. Rejects when it could not be started (`ENOENT`, …), and with the reason of an abort or timeout.
   */
  readonly ended: Promise<ProgramEnd>;
  /** Ends the program and all processes that it started. */
  kill(): void;
}

/** How a program ended, with its output. */
export interface ProgramResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly stdout: string;
  /** The last lines of stderr. */
  readonly stderr: string;
}

/** Thrown when a program exceeded the limit of its output on stdout; the program was ended. */
export class OutputLimitError extends Error {
  /** The limit in bytes. */
  readonly limit: number;

  constructor(command: string, limit: number) {
    super(`${command} printed more than ${limit} bytes`);
    this.name = 'OutputLimitError';
    this.limit = limit;
  }
}

/** Environment variable that marks a program and its descendants; each program gets its own value. */
const MARK = 'PROGRAM_MARK';
const MEMORY_CHECK_MS = 250;
const STDERR_LINES = 20;
/** Longest wait for the end of a killed process: one that hangs in disk access cannot be killed. */
const LONGEST_END_MS = 10_000;

/** Those of the named variables that are set in `env`. */
export function pick(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** The full path of an executable on `env.PATH`; null when there is none. */
export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    // a relative one is of this process, and not of the folder in which the program will run
    const file = resolvePath(folder, name);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

const require = createRequire(import.meta.url);

/** The package has a hundred modules: most commands start no program. */
function loadExeca(): typeof Execa {
  return require('execa') as typeof Execa;
}

/** The process groups to kill when this process exits. */
const running = new Set<number>();
process.once('exit', () => {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
});

/** Starts a program in a process group of its own. The caller reads `stdout` and `stderr` to their ends. */
export function startProgram(command: string, args: readonly string[], options: ProgramOptions): Program {
  const { env, cwd, account, graceMs = 0, mayLeaveProcesses = false } = options;
  const mark = `${MARK}=${randomUUID()}`;
  const timeout = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout].filter((each) => each !== undefined));
  signal.throwIfAborted();
  const execution = loadExeca().execa(command, [...args], {
    env: { ...env, [MARK]: mark.slice(MARK.length + 1) },
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    ...account,
    buffer: false,
    reject: false,
    // this module ends the program, with its whole group
    cleanup: false,
    detached: true,
  });
  const child = execution.nodeChildProcess;
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  let isKilled = false;
  const kill = (): void => {
    if (isKilled || hasExited()) return;
    isKilled = true;
    killGroup(child, graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
    if (graceMs > 0) setTimeout(() => !hasExited() && killGroup(child, 'SIGKILL'), graceMs).unref();
  };
  signal.addEventListener('abort', kill, { once: true });
  const memory = watchMemory(pid, options.maxMemoryBytes, () => {
    isKilled = true;
    killGroup(child, 'SIGKILL');
  });

  // at its exit, not when its pipes close: processes that it left may hold them open
  const swept = new Promise<void>((resolve) => {
    child.once('exit', () => resolve(isKilled || !mayLeaveProcesses ? endMarked(pid, mark) : undefined));
    child.once('error', () => resolve());
  });
  const ended = (async (): Promise<ProgramEnd> => {
    try {
      const { exitCode, signal: killedBy, cause } = await execution;
      if (pid === undefined) throw cause as Error;
      await swept;
      signal.throwIfAborted();
      return { code: exitCode ?? null, killedBy: killedBy ?? null, tookTooMuchMemory: memory.isExceeded() };
    } finally {
      memory.stop();
      signal.removeEventListener('abort', kill);
      if (pid !== undefined) running.delete(pid);
    }
  })();
  // a reader of the output sees the end of the output first and awaits `ended` after that
  ended.catch(() => undefined);
  const { stdin, stdout, stderr } = execution;
  // a program need not read its whole input
  stdin.on('error', () => undefined);
  return { pid, stdin, stdout, stderr, ended, kill };
}

/**
 * Runs a program to its end and returns its output. An exit code other than 0 is a result, not an error. Rejects like
 * {@link Program.ended}, or with an {@link OutputLimitError}.
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions & {
    /** The program's stdin. @default empty */
    readonly input?: string;
    /** Called with every line of stderr, cut as {@link readProgramLines} does. */
    readonly onLine?: (line: string) => void;
    /** Bytes of stdout above which the program is ended. @default 200,000,000 */
    readonly maxOutputBytes?: number;
    /** Lines of stderr that are kept, the last ones. @default 20 */
    readonly stderrLines?: number;
  },
): Promise<ProgramResult> {
  const { maxOutputBytes = 200_000_000, stderrLines = STDERR_LINES, onLine, input = '' } = options;
  options.signal?.throwIfAborted();
  const program = startProgram(command, args, options);
  program.stdin.end(input);
  const tail: string[] = [];
  readProgramLines(program.stderr, (line) => {
    tail.push(line);
    if (tail.length > stderrLines) tail.shift();
    onLine?.(line);
  });
  const printed = await readAll(program, maxOutputBytes, () => new OutputLimitError(command, maxOutputBytes));
  const { code, killedBy } = await program.ended;
  return { code, killedBy, stdout: printed.toString('utf8'), stderr: tail.join('\n') };
}

/** Reads the whole stdout of a program. Above `limit` bytes it ends the program and throws the error of `tooMuch`. */
export async function readAll(
  program: Pick<Program, 'stdout' | 'kill'> & { readonly ended: Promise<unknown> },
  limit: number,
  tooMuch: () => Error,
): Promise<Buffer> {
  const printed: Buffer[] = [];
  let size = 0;
  // the streams of a program that could not be started fail; `ended` has the reason
  try {
    for await (const chunk of program.stdout as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) break;
      printed.push(chunk);
    }
  } catch (error) {
    await program.ended;
    throw error;
  }
  if (size <= limit) return Buffer.concat(printed);
  program.kill();
  await program.ended.catch(() => undefined);
  throw tooMuch();
}

/** Sends a signal to a child and its process group (it must have been spawned `detached`). */
export function killGroup(child: Pick<ChildProcess, 'pid'>, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) signalGroup(child.pid, signal);
}

/**
 * Kills a group and all processes with this entry (`NAME=value`) in their environment, repeatedly until none is left: a
 * dying process may have started another.
 */
export async function endMarked(pid: number | undefined, mark: string): Promise<void> {
  const started = performance.now();
  for (;;) {
    const isGroupThere = pid !== undefined && signalGroup(pid, 'SIGKILL') && !isGroupOfZombies(pid);
    const left = markedProcesses(mark);
    for (const each of left) signalProcess(each, 'SIGKILL');
    if (left.length === 0 && !isGroupThere) return;
    if (performance.now() - started > LONGEST_END_MS) return;
    await delay(5);
  }
}

/** Watches the memory of a process, on systems that report it in `/proc`. */
function watchMemory(
  pid: number | undefined,
  limit: number | undefined,
  onExceeded: () => void,
): { isExceeded(): boolean; stop(): void } {
  if (pid === undefined || limit === undefined) return { isExceeded: () => false, stop: () => undefined };
  let isExceeded = false;
  const timer = setInterval(() => {
    if (residentBytes(pid) <= limit) return;
    isExceeded = true;
    onExceeded();
  }, MEMORY_CHECK_MS);
  timer.unref();
  return { isExceeded: () => isExceeded, stop: () => clearInterval(timer) };
}

/** Resident bytes of a process without shared memory; 0 where the system does not report them. */
function residentBytes(pid: number): number {
  try {
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    return (resident - shared) * 4_096;
  } catch {
    return 0;
  }
}
