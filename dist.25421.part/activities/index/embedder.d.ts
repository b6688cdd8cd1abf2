import type { EmbeddingModel } from './embedding-model.ts';
import type { Progress } from './model-files.ts';
import type { StaticWeights } from './static-model.ts';
export type { EmbeddingModel } from './embedding-model.ts';
/** Which model to use and where it is. */
export interface ModelConfig {
    /** `static`: one vector a token, distilled from the transformer. `onnx`: the transformer itself. */
    readonly kind: 'static' | 'onnx';
    /** Folder with `model.onnx` and `tokenizer.json`. */
    readonly folder: string;
    /** Where what is made of them is kept. */
    readonly cacheDir: string;
}
/** What happens while a model is made ready, which the first time takes about half a minute. */
export interface ModelOptions {
    readonly progress?: Progress;
    readonly signal?: AbortSignal;
}
interface SharedBasics {
    readonly digest: string;
    readonly dimensions: number;
    /** Path of the tokenizer. */
    readonly tokenizer: string;
}
/** A model as it is passed to another thread: plain data, the big tables in shared memory. */
export type SharedModel = (SharedBasics & {
    readonly kind: 'static';
    readonly weights: StaticWeights;
}) | (SharedBasics & {
    readonly kind: 'onnx';
    readonly onnx: string;
});
/**
 * Makes a model ready for {@link openShared} in any thread of this process. The static model is distilled first when this
 * teacher's was not yet. Throws `InvalidConfiguration` when the files are missing or of a kind that cannot be used.
 */
export declare function shareModel(config: ModelConfig, options?: ModelOptions): Promise<SharedModel>;
/** Opens a model that {@link shareModel} made ready, in this or another thread. */
export declare function openShared(shared: SharedModel): Promise<EmbeddingModel>;
/** {@link shareModel} and {@link openShared} for a single thread. */
export declare function openModel(config: ModelConfig, options?: ModelOptions): Promise<EmbeddingModel>;
