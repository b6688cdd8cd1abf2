import { spaceIdentifiers } from '../../domain/catalog/identifiers.js';
/**
 * What is embedded of a chunk: the names around and in it, and its text. Not its path, so that a file that moves needs no new
 * vectors.
 */
export function chunkEmbeddingText({ scope, symbols, text }) {
    return spaceIdentifiers(`${[...scope, ...symbols].join(' ')}\n${text}`);
}
/** What is embedded of a question. */
export function queryEmbeddingText(query) {
    return spaceIdentifiers(query);
}
//# sourceMappingURL=embedding-text.js.map