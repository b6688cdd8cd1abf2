import picomatch from 'picomatch';
import { Filters } from 'weaviate-client';
import { queryStems } from '../../domain/catalog/identifiers.js';
import { LonghaulError } from '../../domain/failures.js';
/** Part of the vector side in the fused score: below, words decide; above, meaning. */
const ALPHA = 0.3;
/** A glob is checked after the query, so that many more candidates are asked for. */
const CANDIDATES_WITH_GLOB = 200;
/** Searches by words (BM25 over split and stemmed identifiers, path and definitions) and by meaning (vector), fused. */
export async function search(client, { store, analyzer }, question) {
    const started = performance.now();
    const { query, limit = 10, path } = question;
    if (query.trim() === '')
        throw new LonghaulError('InvalidInput', 'The query is empty: give some words.');
    const answer = (results) => ({
        query,
        tookMs: Math.round(performance.now() - started),
        results,
    });
    if (question.repositories?.length === 0)
        return answer([]);
    const chunks = client.collections.use(store.names.alias);
    const filters = filtersOf(chunks.filter, question);
    const vector = await analyzer.embedQuery(query);
    const found = await chunks.query.hybrid(queryStems(query).join(' '), {
        vector: Array.from(vector),
        alpha: ALPHA,
        queryProperties: [
            { name: 'stems', weight: 2 },
            { name: 'pathStems', weight: 4 },
            { name: 'scopeStems', weight: 1 },
        ],
        limit: path === undefined ? limit : CANDIDATES_WITH_GLOB,
        returnMetadata: ['score'],
        returnProperties: ['repo', 'path', 'startLine', 'endLine', 'language', 'symbols', 'text'],
        ...(filters === null ? {} : { filters }),
    });
    const matches = path === undefined ? () => true : picomatch(path, { dot: true });
    const objects = found.objects.filter(({ properties }) => matches(properties.path)).slice(0, limit);
    const commits = await commitsOf(store, new Set(objects.map(({ properties }) => properties.repo)));
    return answer(objects.map(({ properties, metadata }) => ({
        repo: properties.repo,
        path: properties.path,
        startLine: properties.startLine,
        endLine: properties.endLine,
        language: properties.language,
        symbols: properties.symbols,
        score: Number((metadata?.score ?? 0).toFixed(4)),
        snippet: properties.text,
        commit: commits.get(properties.repo) ?? '',
    })));
}
function filtersOf(filter, { repositories, language, path }) {
    const filters = [];
    if (repositories !== undefined)
        filters.push(filter.byProperty('repo').containsAny([...repositories]));
    if (language !== undefined)
        filters.push(filter.byProperty('language').equal(language));
    if (path !== undefined) {
        const fixed = picomatch.scan(path).base;
        if (fixed !== '')
            filters.push(filter.byProperty('path').like(`${fixed.replaceAll(/[*?]/g, '?')}*`));
    }
    const [first] = filters;
    if (first === undefined)
        return null;
    return filters.length === 1 ? first : Filters.and(...filters);
}
async function commitsOf(store, repositories) {
    const receipts = await Promise.all([...repositories].map((repository) => store.readReceipt(repository)));
    return new Map(receipts.flatMap((receipt) => (receipt ? [[receipt.repository, receipt.commit]] : [])));
}
//# sourceMappingURL=search.js.map