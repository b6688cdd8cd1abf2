/** A program of others, and what it gets. */
export interface SandboxedProgram {
  /** Program and arguments; the program is looked for on the PATH of `env`. No shell is involved. */
  readonly argv: readonly [string, ...string[]];
  /** Its working folder, writable: an absolute path on this machine, which it sees as {@link Sandbox.workFolder}. */
  readonly folder: string;
  /** Its home folder, whose content stays there: an absolute path. @default an empty one that is gone when it ends */
  readonly home?: string;
  /** Its folder for temporary files (`/tmp`), whose content stays there: an absolute path. @default as `home` */
  readonly temporary?: string;
  /** Its environment, in addition to PATH, HOME, TMPDIR and LANG, which it may replace. It gets nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * False for none, true for that of the machine, which the configuration must allow, or one of
   * {@link Sandbox.openNetwork}.
   */
  readonly network: boolean | PrivateNetwork;
  /** Seconds after which it is ended. */
  readonly timeoutSeconds: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /**
   * Gets what it writes to stdout and stderr, in the order of writing. The bytes are valid until the call has ended, and
   * while it runs the program waits.
   */
  readonly onOutput: (piece: Buffer) => void | Promise<void>;
}

/** A network without other machines, for programs that need each other: those of a job and its services. */
export interface PrivateNetwork {
  /** A command that starts a program in it, without that program; empty where all programs share one network. */
  readonly enter: readonly string[];
  /** Ends it, when no program uses it any more. */
  close(): Promise<void>;
}

/** Why a program was ended: it took too long, its signal was aborted, or it exceeded a limit. */
export type Ending = 'timeout' | 'cancelled' | 'output-limit' | 'memory-limit' | 'disk-limit';

/** How a program ended. */
export interface SandboxedEnd {
  /** Its exit code, as shells have it: 126 and 127 for a program that cannot be run. Null when it did not exit itself. */
  readonly exitCode: number | null;
  /** The signal that ended it; also for an exit code of 128 plus the number of a signal, as shells have it. */
  readonly signal: NodeJS.Signals | null;
  /** `exit` and `signal`: by itself. */
  readonly ended: 'exit' | 'signal' | Ending;
  readonly durationMs: number;
}

/** What separates programs from this machine, for people. */
export interface Isolation {
  readonly kind: 'bubblewrap' | 'none';
  /** The program that isolates, with its version; null for none. */
  readonly program: string | null;
  /** What holds, a sentence each. */
  readonly holds: readonly string[];
  /** What does not hold, a sentence each. */
  readonly missing: readonly string[];
}

/** Limits of every program. Sizes are in bytes. */
export interface SandboxLimits {
  /** Processes and threads at the same time. */
  readonly processes: number;
  /** Memory of one process, and of all processes of a program together. */
  readonly memoryBytes: number;
  /** The largest file that it writes. */
  readonly fileBytes: number;
  /** Content of an own home folder, of an own folder for temporary files, and of shared memory, each. */
  readonly temporaryBytes: number;
  /** Output on stdout and stderr together. */
  readonly outputBytes: number;
  /** Processor seconds of one process. */
  readonly cpuSeconds: number;
  /** Free space that it must leave on the disk of its folder. */
  readonly freeDiskBytes: number;
}

/** How programs are isolated (`pipelines` in longhaul.yaml). */
export interface SandboxSettings {
  readonly sandbox: Isolation['kind'];
  /** Absolute paths of folders with compilers and the like, which programs may read at the same paths. */
  readonly toolchains: readonly string[];
  /** Whether programs may ask for a network. */
  readonly network: boolean;
  readonly limits: SandboxLimits;
  /** Absolute path of a folder for the files of running programs; it is created. */
  readonly scratch: string;
  /** Where bubblewrap is looked for: PATH. */
  readonly env: NodeJS.ProcessEnv;
}

/** Runs programs of others. */
export interface Sandbox {
  readonly isolation: Isolation;
  /** Whether programs may ask for a network. */
  readonly allowsNetwork: boolean;
  /** The path of a program's folder as the program sees it; null where it is the one of this machine. */
  readonly workFolder: string | null;
  /** The folder for the files of running programs: programs may enter it, and this process owns it. */
  readonly scratch: string;
  /**
   * Gives a folder and everything in it to programs, which often run as another user than this process. Call it before
   * the first program of the folder, never afterwards.
   */
  give(folder: string): Promise<void>;
  /**
   * Runs a program to its end. When it resolves, no process that the program started is left. Throws
   * `NetworkNotAllowed`, `SandboxUnusable`, and what `onOutput` throws.
   */
  run(program: SandboxedProgram): Promise<SandboxedEnd>;
  /**
   * Makes a network that programs can share: they reach each other on the loopback, and nothing else. Throws
   * `SandboxUnusable`.
   */
  openNetwork(): Promise<PrivateNetwork>;
  /** Removes its files. Call it when no program runs. */
  close(): Promise<void>;
}
