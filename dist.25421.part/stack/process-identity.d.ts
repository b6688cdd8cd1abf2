/** A process, told apart from a later one that got the same pid. */
export interface ProcessIdentity {
    readonly pid: number;
    /** When it started, in a form that only serves to be compared. */
    readonly start: string;
}
/** The identity of a running process; null when there is none with this pid, or only a zombie. */
export declare function identify(pid: number): ProcessIdentity | null;
/** True when exactly this process is still running. */
export declare function isRunning(identity: ProcessIdentity): boolean;
/** The identity of this process. */
export declare function self(): ProcessIdentity;
