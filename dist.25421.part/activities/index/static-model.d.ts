import type { EmbeddingModel } from './embedding-model.ts';
import type { WordPiece } from './wordpiece.ts';
/** Version of everything between a teacher and a vector: distillation, weights, pooling. Another one is another model. */
export declare const STATIC_RECIPE = "static-1";
/** The tables of a static model, all in shared memory, so that any number of threads costs one copy. */
export interface StaticWeights {
    readonly tokens: number;
    readonly dimensions: number;
    /** Int8: `tokens` rows of `dimensions`. */
    readonly matrix: SharedArrayBuffer;
    /** Float32: what a row of `matrix` is multiplied by, to be what the teacher said. */
    readonly scales: SharedArrayBuffer;
    /** Float32: what a token counts in a text. */
    readonly importance: SharedArrayBuffer;
    /** Float32 rows with scale and importance multiplied in; a row is made when its token is first met. */
    readonly rows: SharedArrayBuffer;
    /** Uint8: 1 for each row of `rows` that is made. */
    readonly made: SharedArrayBuffer;
}
/** The tables as distillation makes them. */
export interface DistilledTables {
    readonly dimensions: number;
    readonly matrix: Int8Array;
    readonly scales: Float32Array;
    readonly importance: Float32Array;
}
/** Writes the tables to one file, whole or not at all. */
export declare function writeStaticModel(file: string, tables: DistilledTables): Promise<void>;
/** Reads what {@link writeStaticModel} wrote; null when the file is not there or not whole. */
export declare function readStaticModel(file: string): Promise<StaticWeights | null>;
/**
 * A model whose vector of a text is the weighted mean of its tokens' vectors, scaled to length 1. Throws `InvalidConfiguration`
 * when the tokenizer has other tokens than the tables.
 */
export declare function createStaticModel(digest: string, weights: StaticWeights, words: WordPiece): EmbeddingModel;
