import type { FailureType } from '../../domain/failures.ts';
/** An error on its way from another thread or process, where the class would be lost. */
export interface PackedFailure {
    /** Null for what nobody anticipated. */
    readonly type: FailureType | null;
    readonly message: string;
    readonly stack: string | undefined;
}
/** Makes plain data of an error. */
export declare function packFailure(error: unknown): PackedFailure;
/** Makes an error of the same type, message and stack. */
export declare function unpackFailure({ type, message, stack }: PackedFailure): Error;
