import path from 'node:path';
import { createAnalyzerPool } from './analyzer-pool.js';
import { sha256 } from './digest.js';
import { openShared, shareModel } from './embedder.js';
import { queryEmbeddingText } from './embedding-text.js';
import { grammarsDigest } from './grammar-files.js';
import { openVectorCache } from './vector-cache.js';
/** Version of what grammars and model do not name: the cutting into chunks, search terms, languages, embedded texts. */
const ANALYSIS_VERSION = 'analysis-1';
/** Opens the model and everything else that is slow. Throws `InvalidConfiguration` when the model cannot be used. */
export async function createAnalyzer(options) {
    const [model, grammars] = await Promise.all([
        shareModel(options.model, options),
        grammarsDigest(options.cacheDir),
    ]);
    const digest = sha256([ANALYSIS_VERSION, grammars, model.digest].join(' ')).slice(0, 16);
    const cacheFile = path.join(options.cacheDir, 'analysis-1.sqlite');
    const pool = createAnalyzerPool({ model, cacheFile }, options.threads);
    let cache;
    let own;
    async function analyze(files, { signal } = {}) {
        const batches = await pool.analyze(files, signal);
        return {
            files: batches.flatMap((batch) => withVectors(batch, model.dimensions)),
            embedded: batches.reduce((sum, { embedded }) => sum + embedded, 0),
            reused: batches.reduce((sum, { reused }) => sum + reused, 0),
        };
    }
    return {
        digest,
        dimensions: model.dimensions,
        counts: {
            get: (file) => (cache ??= openVectorCache(cacheFile)).getCounts(digest, [file])[0],
            put: (files) => (cache ??= openVectorCache(cacheFile)).putCounts(digest, files),
        },
        analyze,
        countChunks: async (files, { signal } = {}) => (await pool.count(files, signal)).flat(),
        async embedQuery(text) {
            const [vector] = await (await (own ??= openShared(model))).embed([queryEmbeddingText(text)]);
            return vector ?? new Float32Array(model.dimensions);
        },
        async close() {
            await pool.close();
            cache?.close();
            await (await own)?.close();
        },
    };
}
function withVectors({ files, vectors }, dimensions) {
    let at = 0;
    return files.map((file) => ({
        ...file,
        chunks: file.chunks.map((chunk) => ({ ...chunk, vector: vectors.slice(at, (at += dimensions)) })),
    }));
}
//# sourceMappingURL=analyzer.js.map