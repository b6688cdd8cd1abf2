import type { CliContext } from './context.ts';
/** Options of `longhaul doctor`. */
export interface DoctorOptions {
    readonly json: boolean;
}
/** One thing that was looked at. */
export interface Finding {
    readonly name: string;
    readonly ok: boolean;
    readonly found: string;
    /** What to do about it; null when nothing needs doing. */
    readonly remedy: string | null;
}
/** Looks at everything that Longhaul needs, and says what is wrong with its remedy. Returns 1 when anything is, else 0. Throws `StackFailed`. */
export declare function doctor(options: DoctorOptions, context: CliContext): Promise<number>;
/** True when a dotted version is at least `major.minor`. */
export declare function atLeast(version: string, major: number, minor: number): boolean;
