import { workerData } from 'piscina';
import { stems } from '../../domain/catalog/identifiers.js';
import { chunk } from './chunker.js';
import { decodeText } from './decode.js';
import { openShared } from './embedder.js';
import { chunkEmbeddingText } from './embedding-text.js';
import { languageOf } from './language.js';
import { packFailure } from './packed-failure.js';
import { openVectorCache, textKey } from './vector-cache.js';
/** Texts are embedded and kept in portions: what is kept is not lost when the process dies, and between two it may stop. */
const PORTION = 32;
const settings = workerData;
let opened;
/** Chunks files and embeds the chunks. */
export function analyze({ files, cancelled }) {
    return answering(cancelled, async (isCancelled) => {
        const analyzed = [];
        const texts = [];
        for (const file of files) {
            if (isCancelled())
                return null;
            const { language, chunks } = await chunksOf(file);
            analyzed.push({ language, pathStems: stems(file.path).join(' '), chunks: chunks.map(withStems) });
            for (const piece of chunks)
                texts.push(chunkEmbeddingText(piece));
        }
        const embedding = await embed(texts, isCancelled);
        return embedding && { files: analyzed, ...embedding };
    });
}
/** Counts the chunks that files have. */
export function count({ files, cancelled }) {
    return answering(cancelled, async (isCancelled) => {
        const counts = [];
        for (const file of files) {
            if (isCancelled())
                return null;
            counts.push((await chunksOf(file)).chunks.length);
        }
        return counts;
    });
}
async function answering(cancelled, work) {
    const flag = new Int32Array(cancelled);
    try {
        return { done: await work(() => Atomics.load(flag, 0) !== 0) };
    }
    catch (error) {
        return { failure: packFailure(error) };
    }
}
async function chunksOf({ path, content }) {
    const text = decodeText(content);
    const language = languageOf(path, text);
    const chunks = await chunk(text, language);
    return { language, chunks: chunks.filter((piece) => piece.text.trim() !== '') };
}
function withStems(piece) {
    return {
        ...piece,
        stems: stems(piece.text).join(' '),
        scopeStems: stems([...piece.scope, ...piece.symbols].join(' ')).join(' '),
    };
}
/** Looks texts up and embeds those that nobody embedded before, each once. */
async function embed(texts, isCancelled) {
    opened ??= open();
    const { model, cache } = await opened;
    const distinct = [...new Set(texts)].map((text) => ({ text, key: textKey(text) }));
    const found = cache.getVectors(model.digest, distinct.map(({ key }) => key));
    const vectors = new Map();
    const unknown = distinct.filter(({ text }, i) => {
        const vector = found[i];
        if (vector)
            vectors.set(text, vector);
        return !vector;
    });
    for (let start = 0; start < unknown.length; start += PORTION) {
        if (isCancelled())
            return null;
        const portion = unknown.slice(start, start + PORTION);
        const made = await model.embed(portion.map(({ text }) => text));
        const entries = portion.flatMap(({ text, key }, i) => {
            const vector = made[i];
            if (!vector)
                return [];
            vectors.set(text, vector);
            return [[key, vector]];
        });
        cache.putVectors(model.digest, entries);
    }
    const all = new Float32Array(texts.length * model.dimensions);
    for (const [i, text] of texts.entries())
        all.set(vectors.get(text) ?? [], i * model.dimensions);
    return { vectors: all, embedded: unknown.length, reused: texts.length - unknown.length };
}
async function open() {
    return { model: await openShared(settings.model), cache: openVectorCache(settings.cacheFile) };
}
//# sourceMappingURL=analyzer-thread.js.map