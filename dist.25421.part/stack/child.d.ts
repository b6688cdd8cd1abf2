import type { ProcessIdentity } from './process-identity.ts';
import type { OnProgress } from './progress.ts';
/** A program that is to run for as long as the stack does. */
export interface ChildSpec {
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
    readonly env: NodeJS.ProcessEnv;
    /** Its output is appended here; kept aside as `.1` at a start when it has grown over 20 MB. */
    readonly logFile: string;
    /** Resolves when the program answers; told the text that it has logged since its start. */
    ready(signal: AbortSignal, logged: () => string): Promise<void>;
    /** Milliseconds that it may take to be ready. */
    readonly readyTimeout: number;
    /** Milliseconds between SIGTERM and SIGKILL when it is stopped. */
    readonly stopTimeout: number;
}
/** A supervised program: started again, with growing pauses, whenever it ends by itself. */
export interface Child {
    readonly name: string;
    /** Stops it: SIGTERM, and SIGKILL to all it started when the time is over. Idempotent. */
    stop(): Promise<void>;
    /** SIGKILL, now. */
    kill(): void;
}
/**
 * Starts a program and resolves when it is ready. From then on it is kept alive until {@link Child.stop}. `onStart` is told
 * every new process, before anything else happens. Throws {@link StackError} with the last lines of the log when it ends or
 * is not ready in time at the first start.
 */
export declare function superviseChild(spec: ChildSpec, hooks: {
    onStart: (identity: ProcessIdentity) => void;
    onProgress: OnProgress;
    signal?: AbortSignal | undefined;
}): Promise<Child>;
/** Repeats `attempt` until it returns something else than null. Rejects when `signal` aborts. */
export declare function poll<T>(attempt: () => Promise<T | null> | T | null, signal: AbortSignal): Promise<T>;
