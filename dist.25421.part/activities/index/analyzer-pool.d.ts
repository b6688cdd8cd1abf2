import type { SourceFile } from './analysis.ts';
import type { AnalyzedBatch, ThreadSettings } from './analyzer-thread.ts';
/** How many threads there are. */
export interface PoolSize {
    /** Threads that stay when there is nothing to do. @default 1 */
    readonly min?: number;
    /** @default the number of processors */
    readonly max?: number;
}
/** Threads that share the work on files. The first starts with the first files. */
export interface AnalyzerPool {
    /** Chunks, stems and embeds; one batch after the other has all files in order. */
    analyze(files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<AnalyzedBatch[]>;
    /** Counts chunks; one list after the other has all files in order. */
    count(files: readonly SourceFile[], signal: AbortSignal | undefined): Promise<number[][]>;
    /** Rejects what is under way and ends the threads. */
    close(): Promise<void>;
}
/** Makes the pool; what it holds is given back by `close`, and threads that nobody uses for half a minute end by themselves. */
export declare function createAnalyzerPool(settings: ThreadSettings, { min, max }?: PoolSize): AnalyzerPool;
