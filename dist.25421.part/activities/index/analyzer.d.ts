import type { Analysis, SourceFile } from './analysis.ts';
import type { PoolSize } from './analyzer-pool.ts';
import type { ModelConfig, ModelOptions } from './embedder.ts';
import type { CountKey } from './vector-cache.ts';
export type { Analysis, AnalyzedChunk, AnalyzedFile, SourceFile } from './analysis.ts';
/** How many chunks files have under this analyzer, remembered between runs. */
export interface ChunkCounts {
    /** Undefined when it was never put. */
    get(file: CountKey): number | undefined;
    put(files: readonly (CountKey & {
        readonly chunks: number;
    })[]): void;
}
/** Makes of files what the index holds of them. Its work is done by threads; a thread begins with the first file. */
export interface Analyzer {
    /** Names everything that an analysis depends on besides path and content, 16 hex digits. */
    readonly digest: string;
    /** Length of the vectors. */
    readonly dimensions: number;
    readonly counts: ChunkCounts;
    /** Rejects with the signal's reason at once when it is aborted; what is under way ends by itself. */
    analyze(files: readonly SourceFile[], options?: {
        readonly signal?: AbortSignal;
    }): Promise<Analysis>;
    /** How many chunks each file has, without embedding any. */
    countChunks(files: readonly SourceFile[], options?: {
        readonly signal?: AbortSignal;
    }): Promise<number[]>;
    /** The vector of a question. Starts no thread. */
    embedQuery(text: string): Promise<Float32Array>;
    /** Ends the threads; what is under way is rejected. */
    close(): Promise<void>;
}
/** How {@link createAnalyzer} works. */
export interface AnalyzerOptions extends ModelOptions {
    readonly model: ModelConfig;
    /** Where vectors and counts are remembered. */
    readonly cacheDir: string;
    readonly threads?: PoolSize;
}
/** Opens the model and everything else that is slow. Throws `InvalidConfiguration` when the model cannot be used. */
export declare function createAnalyzer(options: AnalyzerOptions): Promise<Analyzer>;
