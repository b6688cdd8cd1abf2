import type { AnalyzedChunk, AnalyzedFile, SourceFile } from './analysis.ts';
import type { SharedModel } from './embedder.ts';
import type { PackedFailure } from './packed-failure.ts';
/** What all threads of an analyzer have in common. */
export interface ThreadSettings {
    readonly model: SharedModel;
    readonly cacheFile: string;
}
/** Files for one thread. */
export interface ThreadTask {
    readonly files: readonly SourceFile[];
    /** Int32: not 0 as soon as nobody waits for the answer any more. */
    readonly cancelled: SharedArrayBuffer;
}
/** What became of a task; null when it was cancelled. */
export type ThreadAnswer<T> = {
    readonly done: T | null;
} | {
    readonly failure: PackedFailure;
};
/** An {@link AnalyzedFile} without vectors. */
export interface UnembeddedFile extends Omit<AnalyzedFile, 'chunks'> {
    readonly chunks: readonly Omit<AnalyzedChunk, 'vector'>[];
}
/** Analyzed files; the vectors of all chunks one behind the other. */
export interface AnalyzedBatch {
    readonly files: readonly UnembeddedFile[];
    readonly vectors: Float32Array;
    readonly embedded: number;
    readonly reused: number;
}
/** Chunks files and embeds the chunks. */
export declare function analyze({ files, cancelled }: ThreadTask): Promise<ThreadAnswer<AnalyzedBatch>>;
/** Counts the chunks that files have. */
export declare function count({ files, cancelled }: ThreadTask): Promise<ThreadAnswer<number[]>>;
