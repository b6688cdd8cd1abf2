import type { ChildProcess } from 'node:child_process';
/** How a program ended. */
export interface ProgramResult {
    /** Exit code; null when a signal ended it. */
    readonly code: number | null;
    readonly stdout: string;
    /** The last lines that it wrote on stderr. */
    readonly stderr: string;
}
/** The full path of an executable on `env.PATH`; null when there is none. */
export declare function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | null>;
/**
 * Runs a program to its end, in a process group of its own that dies with `signal`. Rejects only when it cannot be started
 * or was aborted.
 */
export declare function runProgram(command: string, args: readonly string[], options: {
    env: NodeJS.ProcessEnv;
    cwd?: string;
    signal?: AbortSignal | undefined;
    /** Called with every line on stderr. */
    onLine?: (line: string) => void;
    /** Milliseconds after which it is killed. */
    timeout?: number;
}): Promise<ProgramResult>;
/** Sends a signal to a child and everything it started (it must have been spawned `detached`). */
export declare function killGroup(child: ChildProcess, signal: NodeJS.Signals): void;
/** Sends a signal to a process group; one that is gone is fine. */
export declare function signalGroup(pid: number, signal: NodeJS.Signals): void;
