import type { ModelFiles, Progress } from './model-files.ts';
/** What is distilled and where the result goes. */
export interface DistilOptions {
    readonly files: ModelFiles;
    /** Written whole or not at all. */
    readonly target: string;
    readonly progress?: Progress;
    readonly signal?: AbortSignal;
}
/**
 * Distils the static model of a transformer in a process of its own, which uses all processors for some tens of seconds and
 * then gives its memory back. Rejects with the child's own error, or with the signal's reason, the child killed.
 */
export declare function distilStaticModel({ files, target, progress, signal }: DistilOptions): Promise<void>;
