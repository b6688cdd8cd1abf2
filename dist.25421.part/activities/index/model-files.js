import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LonghaulError } from '../../domain/failures.js';
import { rememberedDigest } from './digest.js';
/**
 * Finds `model.onnx` and `tokenizer.json` in a folder and takes their digest, which is remembered in `cacheDir`. Throws
 * `InvalidConfiguration` when one of them is missing.
 */
export async function readModelFiles(folder, cacheDir) {
    const onnx = path.resolve(folder, 'model.onnx');
    const tokenizer = path.resolve(folder, 'tokenizer.json');
    try {
        const digest = await rememberedDigest(cacheDir, [onnx, tokenizer], () => digestOf([onnx, tokenizer]));
        return { digest, onnx, tokenizer };
    }
    catch (cause) {
        if (cause.code !== 'ENOENT')
            throw cause;
        throw new LonghaulError('InvalidConfiguration', `There is no embedding model in ${folder}: give index.modelPath a folder with model.onnx and tokenizer.json, or leave it out to use the packaged model.`, { cause });
    }
}
async function digestOf(files) {
    const hash = createHash('sha256');
    for (const file of files) {
        await pipeline(createReadStream(file), async (chunks) => {
            for await (const bytes of chunks)
                hash.update(bytes);
        });
    }
    return hash.digest('hex');
}
//# sourceMappingURL=model-files.js.map