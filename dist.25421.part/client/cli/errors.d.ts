import { type FailureType } from '../../domain/failures.ts';
/** An error as the command line shows it. */
export interface ShownError {
    readonly type: FailureType | 'Unexpected';
    /** One sentence: what is wrong and where. */
    readonly message: string;
    /** What to do about it; null when nobody knows. */
    readonly remedy: string | null;
    readonly exitCode: number;
}
/** The deepest cause that has a name, else the deepest one. */
export declare function shownError(error: unknown): ShownError;
/** Prints an error: one plain sentence and what to do on stderr, or one JSON object on stdout. Gives the exit code. */
export declare function printError(error: unknown, json: boolean): number;
