import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Blob } from '../../activities/blobs/blob-store.ts';
import type { Isolation, SandboxedEnd, SandboxedProgram, SandboxSettings } from '../../activities/sandbox/sandbox.ts';

/** A program, in the form that is sent to another process. */
export type SentProgram = Omit<SandboxedProgram, 'signal' | 'onOutput' | 'network'> & {
  /** `shared`: the private network of the worker. */
  readonly network: boolean | 'shared';
};

/** What the worker process is asked for. */
export type Request = { readonly id: number } & (
  | { readonly type: 'open'; readonly settings: Omit<SandboxSettings, 'env'> }
  | { readonly type: 'give'; readonly folder: string }
  | { readonly type: 'run'; readonly program: SentProgram; readonly store?: string | undefined }
  | { readonly type: 'cancel'; readonly run: number }
);

/** What it answers. */
export interface Answer {
  readonly id: number;
  readonly error?: { readonly type: string; readonly message: string };
  readonly isolation: Isolation;
  readonly scratch: string;
  readonly end: SandboxedEnd;
  /** Each character is a byte; empty when it was stored. */
  readonly output: string;
  readonly blob?: Blob;
  /** Bytes by which the resident memory of the worker grew while the program ran, at most. */
  readonly grown: number;
}

/** The limits of programs in tests. */
export const LIMITS: SandboxSettings['limits'] = {
  processes: 64,
  memoryBytes: 1_000_000_000,
  fileBytes: 1_000_000_000,
  temporaryBytes: 10_000_000,
  outputBytes: 300_000_000,
  cpuSeconds: 60,
  freeDiskBytes: 0,
};

/** A run that has begun. */
export interface BegunRun {
  readonly answer: Promise<Answer>;
  cancel(): void;
}

/** A process with a sandbox, such as a worker of the role `pipelines`. */
export interface SandboxWorker {
  readonly pid: number;
  readonly isolation: Isolation;
  /** Where the folders of its programs belong. */
  readonly scratch: string;
  /** Runs a program; fails when the worker does. `store`: a folder of blobs for the output. */
  run(program: Partial<SentProgram> & Pick<SentProgram, 'argv' | 'folder'>, store?: string): Promise<Answer>;
  begin(program: Partial<SentProgram> & Pick<SentProgram, 'argv' | 'folder'>, store?: string): BegunRun;
  give(folder: string): Promise<void>;
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a worker as a user; throws what its sandbox throws, as `type: message`. */
export async function startSandboxWorker(
  settings: Omit<SandboxSettings, 'env'>,
  { uid, env = {} }: { readonly uid?: number | undefined; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<SandboxWorker> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./sandbox-process.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'], ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const asked = conversation(child);
  try {
    const { isolation, scratch } = await asked.ask({ type: 'open', settings });
    return {
      pid: child.pid ?? 0,
      isolation,
      scratch,
      run: (program, store) => asked.ask({ type: 'run', program: complete(program), store }),
      begin(program, store) {
        const { id, answer } = asked.begin({ type: 'run', program: complete(program), store });
        return { answer, cancel: () => void asked.begin({ type: 'cancel', run: id }) };
      },
      give: async (folder) => void (await asked.ask({ type: 'give', folder })),
      async kill() {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function complete(program: Partial<SentProgram> & Pick<SentProgram, 'argv' | 'folder'>): SentProgram {
  return { env: {}, network: false, timeoutSeconds: 60, ...program };
}

/** Every property of a request except its id, for each kind of request. */
type Unsent<Kind> = Kind extends Request ? Omit<Kind, 'id'> : never;

function conversation(child: ChildProcess) {
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  let last = 0;
  child.on('message', (answer: Answer) => {
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) one?.resolve(answer);
    else one?.reject(new Error(`${answer.error.type}: ${answer.error.message}`));
  });
  child.once('exit', () => {
    for (const one of waiting.values()) one.reject(new Error('the worker has ended'));
  });
  const begin = (request: Unsent<Request>): { id: number; answer: Promise<Answer> } => {
    const id = ++last;
    const answer = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }));
    answer.catch(() => undefined);
    child.send({ id, ...request });
    return { id, answer };
  };
  return { begin, ask: (request: Unsent<Request>) => begin(request).answer };
}

/** The pids of all processes of this machine with a text in their command line. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && commandLine(pid).includes(text));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
