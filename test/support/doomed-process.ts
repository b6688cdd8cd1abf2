import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A point in the work of a process: the n-th event (from 1) of a kind. */
export interface Boundary {
  readonly kind: string;
  readonly nth: number;
}

/** A request to a worker. */
export type DoomedWorkerOrder =
  | 'report'
  | 'say when held'
  | { readonly doom: Boundary | null; readonly victim?: number }
  | { readonly hold: readonly string[] };

/** The boundaries that a worker passed since it was armed. */
export interface Passed {
  /** Their number, by kind of boundary. */
  readonly passed: Readonly<Record<string, number>>;
  /** Number of embedded texts. */
  readonly embedded: number;
}

/** A message of a worker. */
export type DoomedWorkerMessage = 'ready' | 'armed' | 'held' | Passed;

/** A worker process that kills itself at a given boundary. */
export interface DoomedWorker {
  readonly pid: number;
  /**
   * Restarts counting, and makes it kill itself at this boundary, or another process (by its id) with all its children;
   * null: nowhere.
   */
  arm(doom: Boundary | null, victim?: number): Promise<void>;
  report(): Promise<Passed>;
  /**
   * Holds activities when their work is done but not reported: those whose workflow id and name, separated by a space,
   * match one of these patterns, which may contain one `*` as wildcard.
   */
  hold(patterns: readonly string[]): Promise<void>;
  /** Resolves when an activity of each pattern is held. */
  held(): Promise<void>;
  /** Resolves when the process has ended, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  kill(): Promise<void>;
}

/** Starts the doomed worker of a wing with this environment and waits until it accepts work. */
export async function startDoomedWorker(
  env: NodeJS.ProcessEnv,
  wing: 'catalog' | 'release' = 'catalog',
): Promise<DoomedWorker> {
  const child: ChildProcess = fork(fileURLToPath(new URL(`./${wing}/doomed-worker.ts`, import.meta.url)), {
    env,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.on('data', (data: Buffer) => (complaint += data.toString()));
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  const answer = async (): Promise<DoomedWorkerMessage> => {
    const gone = ended.then((how): never => {
      throw new Error(`the worker ended with ${how}: ${complaint.slice(-2_000)}`);
    });
    const [message] = await Promise.race([once(child, 'message') as Promise<[DoomedWorkerMessage]>, gone]);
    return message;
  };
  const ask = (order: DoomedWorkerOrder): Promise<DoomedWorkerMessage> => {
    const answered = answer();
    child.send(order);
    return answered;
  };
  await answer();
  return {
    pid: child.pid ?? 0,
    ended,
    arm: async (doom, victim) => void (await ask({ doom, ...(victim === undefined ? {} : { victim }) })),
    report: async () => (await ask('report')) as Passed,
    hold: async (patterns) => void (await ask({ hold: patterns })),
    held: async () => void (await ask('say when held')),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** All boundaries that a worker passed, by kind. */
export function boundariesOf({ passed }: Passed): Boundary[] {
  return Object.entries(passed).flatMap(([kind, times]) =>
    Array.from({ length: times }, (_, at) => ({ kind, nth: at + 1 })),
  );
}

/** Work that hangs fails after five minutes, and not the whole sweep that it is a part of. */
export async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const patience = new AbortController();
  const tooLong = delay(300_000, undefined, { signal: patience.signal }).then((): never => {
    throw new Error('it is not done after five minutes');
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    tooLong.catch(() => undefined);
    work.catch(() => undefined);
    patience.abort();
  }
}
