import weaviate, {} from 'weaviate-client';
import { LonghaulError } from '../../domain/failures.js';
/** Part of every object's identity: raise it when the meaning of a property changes. */
export const SCHEMA_VERSION = 1;
const stored = (name, dataType = 'text') => dataType === 'int'
    ? { name, dataType, indexFilterable: false }
    : { name, dataType, tokenization: 'field', indexFilterable: false, indexSearchable: false };
const filtered = (name, dataType = 'text') => ({
    name,
    dataType,
    tokenization: 'field',
    indexSearchable: false,
});
const searched = (name) => ({
    name,
    dataType: 'text',
    tokenization: 'word',
    indexFilterable: false,
});
const CHUNK_PROPERTIES = [
    filtered('repo'),
    filtered('path'),
    filtered('language'),
    stored('blob'),
    stored('ordinal', 'int'),
    { name: 'bucket', dataType: 'int', indexFilterable: false, indexRangeFilters: true },
    filtered('refs', 'text[]'),
    stored('text'),
    searched('stems'),
    searched('pathStems'),
    searched('scopeStems'),
    stored('symbols', 'text[]'),
    stored('startLine', 'int'),
    stored('endLine', 'int'),
];
const RECEIPT_PROPERTIES = [
    filtered('repository'),
    filtered('ref'),
    ...['cloneUrl', 'branch', 'commit', 'tree', 'timestamp', 'digest'].map((name) => stored(name)),
    stored('files', 'int'),
    stored('objects', 'int'),
    stored('xor'),
    stored('indexedAt'),
    stored('pending'),
];
/** The names of the collections of the index called `name` (`index.name` in longhaul.yaml). */
export function collectionNames(name, digest) {
    return { chunks: `${name}Chunk_${digest}`, alias: `${name}Chunk`, receipts: `${name}Receipt` };
}
/**
 * Makes the collections that are missing, adds properties that an older version did not have, and points the alias at the
 * chunks when it is new. Safe to repeat and to run in several workers at once. Throws `SchemaMismatch` when a collection of
 * that name has other properties.
 */
export async function ensureSchema(client, names) {
    const inverted = weaviate.configure.invertedIndex({
        bm25b: 0.75,
        bm25k1: 1.2,
        stopwordsPreset: 'none',
    });
    await ensureCollection(client, {
        name: names.chunks,
        description: `Longhaul code chunks, schema ${SCHEMA_VERSION}`,
        properties: CHUNK_PROPERTIES,
        invertedIndex: inverted,
        vectorizers: weaviate.configure.vectors.selfProvided({
            vectorIndexConfig: weaviate.configure.vectorIndex.hnsw({
                distanceMetric: 'cosine',
                quantizer: weaviate.configure.vectorIndex.quantizer.none(),
            }),
        }),
    });
    await ensureCollection(client, {
        name: names.receipts,
        description: `Longhaul receipts, schema ${SCHEMA_VERSION}`,
        properties: RECEIPT_PROPERTIES,
        vectorizers: weaviate.configure.vectors.selfProvided({
            vectorIndexConfig: weaviate.configure.vectorIndex.flat(),
        }),
    });
    await pointAlias(client, names);
}
/** Searches go to the collection of the current digest. */
async function pointAlias(client, { alias, chunks }) {
    const target = async () => ((await client.alias.listAll()) ?? []).find((entry) => entry.alias === alias)?.collection;
    const now = await target();
    if (now === chunks)
        return;
    try {
        if (now === undefined)
            await client.alias.create({ collection: chunks, alias });
        else
            await client.alias.update({ newTargetCollection: chunks, alias });
    }
    catch (error) {
        // another worker may have been first
        if ((await target()) !== chunks)
            throw error;
    }
}
async function ensureCollection(client, wanted) {
    if (!(await client.collections.exists(wanted.name))) {
        try {
            await client.collections.create(wanted);
            return;
        }
        catch (error) {
            // another worker may have been first
            if (!(await client.collections.exists(wanted.name)))
                throw error;
        }
    }
    const collection = client.collections.use(wanted.name);
    const present = new Map((await collection.config.get()).properties.map((property) => [property.name, property]));
    for (const property of wanted.properties) {
        const found = present.get(property.name);
        if (found === undefined) {
            await collection.config.addProperty(property);
            continue;
        }
        const { tokenization } = property;
        const sameTokens = tokenization === undefined || found.tokenization === tokenization;
        if (found.dataType !== property.dataType || !sameTokens) {
            throw new LonghaulError('SchemaMismatch', `Collection ${wanted.name} in Weaviate has a property ${property.name} of type ${found.dataType}/${found.tokenization}, ` +
                `not ${property.dataType}/${tokenization ?? 'none'}.`);
        }
    }
}
//# sourceMappingURL=schema.js.map