import type { PackedFailure } from './packed-failure.ts';
import type { ModelFiles } from './model-files.ts';
/** What this process is told, once, by the one that forked it. */
export interface DistilOrder {
    readonly files: ModelFiles;
    readonly target: string;
    /** How many processors to use. */
    readonly parallel: number;
}
/** What it answers, before it exits with 0 when all is done. */
export type DistilReport = {
    readonly message: string;
    readonly fraction: number;
} | {
    readonly failure: PackedFailure;
};
