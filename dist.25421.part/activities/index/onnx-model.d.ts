import type { EmbeddingModel } from './embedding-model.ts';
import type { WordPiece } from './wordpiece.ts';
/** A transformer on this machine's processors. Its output is `[batch, token, dimension]`. */
export interface Transformer {
    readonly dimensions: number;
    /** The output for `batch` equally long sequences of token ids, one behind the other. */
    run(ids: readonly number[], batch: number): Promise<Float32Array>;
    close(): Promise<void>;
}
/**
 * A model whose vector of a text is the mean of the transformer's output over its first 256 tokens, scaled to length 1. One
 * text at a time, because padding costs more than batching wins. Throws `InvalidConfiguration` when the file is not such a
 * transformer.
 */
export declare function createOnnxModel(digest: string, onnx: string, words: WordPiece): Promise<EmbeddingModel>;
/**
 * Opens an ONNX graph that maps token ids to one vector a token; each run takes one processor. Say `sameShapes` when all runs
 * are of one batch size and length: that is faster, but otherwise memory would grow with every new shape. Throws
 * `InvalidConfiguration`.
 */
export declare function openTransformer(onnx: string, { sameShapes }?: {
    sameShapes?: boolean | undefined;
}): Promise<Transformer>;
/** The mean of `length` consecutive token vectors, from the `from`th on. */
export declare function meanOfTokens(output: Float32Array, from: number, length: number, dimensions: number): Float32Array;
