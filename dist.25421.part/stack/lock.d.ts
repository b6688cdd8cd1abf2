import type { ProcessIdentity } from './process-identity.ts';
/** A lock that this process holds until it calls `release` or dies. */
export interface Lock {
    /** Gives the lock up; a second call does nothing. */
    release(): void;
}
/** Takes the lock `file`, or names the running process that holds it. The lock of a dead process counts as free. */
export declare function tryLock(file: string): {
    lock: Lock;
} | {
    holder: ProcessIdentity;
};
/** Takes the lock `file` as soon as its holder gives it up or dies; `onWait` is told once whom it waits for. */
export declare function waitForLock(file: string, options?: {
    signal?: AbortSignal | undefined;
    onWait?: (holder: ProcessIdentity) => void;
}): Promise<Lock>;
/** Who holds the lock `file`; null when nobody alive does. */
export declare function lockHolder(file: string): ProcessIdentity | null;
