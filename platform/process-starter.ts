import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Account } from './program.ts';
import { siblingModule } from './sibling-module.ts';

/** What is started, and with what. */
export interface ProcessOrder {
  readonly command: string;
  readonly args: readonly string[];
  /** The complete environment. */
  readonly env: Readonly<Record<string, string>>;
  /** @default the one of this process when the starter was made */
  readonly cwd?: string;
  /** The user that runs it; only root can choose one. @default that of this process */
  readonly account?: Account;
  /** A named pipe that this process reads: stdout and stderr. */
  readonly output: string;
  /** What it can read from file descriptor 4. @default it has none */
  readonly input?: string;
  /** Receives what it writes to file descriptor 3. @default it has none */
  readonly onReport?: (text: string) => void;
}

/** How a process ended: an exit code, or a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
}

/** A process that was started, in a group of its own. */
export interface StartedProcess {
  readonly pid: number;
  /** Rejects when the starter has ended before it. */
  readonly ended: Promise<ProcessEnd>;
  /** Resolves when no process can report any more. */
  readonly reported: Promise<void>;
  /** Sends it a signal, unless it has ended. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts processes at a cost that does not grow with the memory of this one. */
export interface ProcessStarter {
  /** Rejects with the error of the system when it cannot be started. */
  start(order: ProcessOrder): Promise<StartedProcess>;
  /** Ends the starter. Call it when no process runs that it has started. */
  close(): Promise<void>;
}

/** What the starter is asked for. */
export type StarterRequest = { readonly id: number } & (
  | ({ readonly type: 'start'; readonly hasReports: boolean } & Omit<ProcessOrder, 'onReport'>)
  | { readonly type: 'kill'; readonly signal: NodeJS.Signals }
);

/** What it says about a process. */
export type StarterEvent = { readonly id: number } & (
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }
  | { readonly type: 'report'; readonly text: string }
  | { readonly type: 'reported' }
  | ({ readonly type: 'ended' } & ProcessEnd)
);

/** What is known about a process. */
interface Known {
  readonly onEvent: (event: StarterEvent) => void;
  readonly onLost: (error: Error) => void;
}

/**
 * Creates a {@link ProcessStarter}: a small process of its own, made with the first start. A system that starts a process
 * copies the page tables of the one that asks, which stands still meanwhile: about 0.15 ms for each MB of a worker. It
 * ends with this process, and then ends nothing itself.
 */
export function createProcessStarter(): ProcessStarter {
  const known = new Map<number, Known>();
  let helper: ChildProcess | null = null;
  let last = 0;

  function running(): ChildProcess {
    if (helper !== null) return helper;
    // it needs neither the environment nor the Node options of this process
    const made = fork(fileURLToPath(siblingModule(import.meta.url, 'starter-process')), {
      env: {},
      execArgv: ['--max-semi-space-size=1', '--max-old-space-size=64'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      detached: true,
    });
    const lost = (): void => {
      if (helper === made) helper = null;
      for (const one of known.values()) one.onLost(new Error('the process that starts programs has ended'));
      known.clear();
    };
    made.on('message', (event: StarterEvent) => known.get(event.id)?.onEvent(event));
    made.once('exit', lost);
    made.once('error', lost);
    helper = made;
    return made;
  }

  return {
    start({ onReport, ...order }) {
      const id = ++last;
      const asked = running();
      const send = (request: StarterRequest): void => void asked.send(request, () => undefined);
      return new Promise((resolve, reject) => {
        const ended = Promise.withResolvers<ProcessEnd>();
        const reported = Promise.withResolvers<void>();
        // a caller awaits it later
        ended.promise.catch(() => undefined);
        let isEnded = false;
        let hasReported = false;
        const forgetWhenDone = (): void => {
          if (isEnded && hasReported) known.delete(id);
        };
        const onEvent = (event: StarterEvent): void => {
          switch (event.type) {
            case 'started':
              resolve({
                pid: event.pid,
                ended: ended.promise,
                reported: reported.promise,
                kill: (signal) => send({ id, type: 'kill', signal }),
              });
              break;
            case 'failed':
              known.delete(id);
              reject(Object.assign(new Error(event.message), { code: event.code }));
              break;
            case 'report':
              onReport?.(event.text);
              break;
            case 'reported':
              hasReported = true;
              reported.resolve();
              forgetWhenDone();
              break;
            case 'ended':
              isEnded = true;
              ended.resolve({ code: event.code, killedBy: event.killedBy });
              forgetWhenDone();
              break;
          }
        };
        const onLost = (error: Error): void => {
          reject(error);
          ended.reject(error);
          reported.resolve();
        };
        known.set(id, { onEvent, onLost });
        send({ id, type: 'start', hasReports: onReport !== undefined, ...order });
      });
    },
    async close() {
      const closing = helper;
      if (closing === null) return;
      const ended = once(closing, 'exit');
      closing.disconnect();
      await ended;
    },
  };
}
