import type { Git, ObjectStore } from './git.ts';
/** One object as `git cat-file` gives it. */
export interface GitObject {
    readonly oid: string;
    /** Null when the store does not have the object. */
    readonly type: string | null;
    /** Bytes; 0 when it is missing. */
    readonly size: number;
    /** Null when it is missing or larger than was asked for. */
    readonly content: Uint8Array | null;
}
/** One `git cat-file` for many questions, one after the other. Close it. */
export interface ObjectReader {
    /** Which of these objects the store does not have. */
    missing(oids: readonly string[]): Promise<string[]>;
    /**
     * The objects in the order of their names. Reads ahead no more than pipes hold, so memory is bounded by `maxBytes`; the
     * content of larger ones passes by unbuffered.
     */
    read(oids: Iterable<string>, maxBytes: number): AsyncGenerator<GitObject, void>;
    /** Ends git. */
    close(): void;
}
/** Starts reading objects. An abort ends it. */
export declare function openObjectReader(git: Git, store: ObjectStore, options: {
    readonly about: string;
    readonly signal?: AbortSignal | undefined;
}): Promise<ObjectReader>;
