import type { Readable, Writable } from 'node:stream';
/** The hash that a repository names its objects with. */
export type ObjectFormat = 'sha1' | 'sha256';
/** Objects on this disk, of a mirror or of somebody's repository: read without reading that repository's configuration. */
export interface ObjectStore {
    /** The `objects` folder. */
    readonly objects: string;
    readonly format: ObjectFormat;
}
/** How git is run. */
export interface GitOptions {
    /** What failures speak of: a repository's id or address, without credentials. */
    readonly about: string;
    /** The repository to write to; left out, git works in an empty one of ours. */
    readonly gitDir?: string;
    /** Objects to read beside those of the repository. */
    readonly store?: ObjectStore;
    /** Configuration for this run. It travels in the environment, so a credential in it is in no process list. */
    readonly config?: readonly (readonly [key: string, value: string])[];
    readonly signal?: AbortSignal | undefined;
}
/** A running git. */
export interface GitProcess {
    readonly stdin: Writable;
    readonly stdout: Readable;
    /** Settles when git has ended; rejects with `GitFailed` or a more exact type, or with the reason of an abort. */
    readonly ended: Promise<void>;
    /** Ends git and every process that it started. */
    kill(): void;
}
/** Git with nothing of its surroundings: no system or user configuration, no hooks, no prompts, no inherited `GIT_*`. */
export interface Git {
    /** Starts git. An abort ends it and all its children. */
    start(args: readonly string[], options: GitOptions): Promise<GitProcess>;
    /** Runs git to its end and returns what it printed. */
    run(args: readonly string[], options: GitOptions & {
        readonly input?: string;
    }): Promise<Buffer>;
}
/** Git that keeps its configuration under `<cacheDir>/git`. */
export declare function createGit(cacheDir: string, env: NodeJS.ProcessEnv): Git;
/** Makes an empty bare repository without running git; nothing happens when there is one. */
export declare function createBareRepository(path: string, format: ObjectFormat, settings?: string): Promise<void>;
/** The configuration of a bare repository whose objects have names of this format. */
export declare function bareConfiguration(format: ObjectFormat): string;
/** Writes a file so that nobody ever sees half of it. */
export declare function replaceFile(path: string, content: string | Uint8Array): Promise<void>;
/** What git itself said before it ended with this `GitFailed`; the empty text for any other error. */
export declare function complaintOf(error: unknown): string;
