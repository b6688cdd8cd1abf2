/** The files of a sentence transformer, and what makes them different from any others. */
export interface ModelFiles {
    /** Sha256 over the contents of both files, 64 hex digits. */
    readonly digest: string;
    /** Absolute path of the ONNX graph. */
    readonly onnx: string;
    /** Absolute path of the tokenizer in Hugging Face's JSON format. */
    readonly tokenizer: string;
}
/** Told what is being done and, where it can be known, how much of it is done (0 to 1). */
export type Progress = (message: string, fraction?: number) => void;
/**
 * Finds `model.onnx` and `tokenizer.json` in a folder and takes their digest, which is remembered in `cacheDir`. Throws
 * `InvalidConfiguration` when one of them is missing.
 */
export declare function readModelFiles(folder: string, cacheDir: string): Promise<ModelFiles>;
