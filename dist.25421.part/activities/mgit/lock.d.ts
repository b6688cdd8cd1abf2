/**
 * Runs `work` while no other process, nor another call in this one, holds the lock file. A lock whose holder was killed is
 * taken over: at once when it was on this host, else after a minute.
 */
export declare function withLock<Result>(path: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
