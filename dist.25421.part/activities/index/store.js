import pLimit from 'p-limit';
import { Filters } from 'weaviate-client';
import { DEFAULT_REF } from '../../domain/catalog/receipt.js';
import { LonghaulError } from '../../domain/failures.js';
import { receiptId } from './object-id.js';
import { collectionNames, ensureSchema } from './schema.js';
import { isConnectionLoss, unavailable } from './weaviate.js';
/** Objects a request: larger ones are not faster (measured: docs/decisions/0003-weaviate-writes.md). */
const WRITE_BATCH = 250;
/** Requests at the same time, over all repositories of this process. */
const WRITES_IN_FLIGHT = 8;
const DELETE_BATCH = 500;
/** Below Weaviate's QUERY_MAXIMUM_RESULTS, which is 10,000 unless the server was told otherwise. */
const LIST_PAGE = 5_000;
const TRIES = 4;
/** The index called `name`, for objects made under `digest`. */
export function createIndexStore(client, name, digest) {
    const names = collectionNames(name, digest);
    const chunks = client.collections.use(names.chunks);
    const receipts = client.collections.use(names.receipts);
    const slot = pLimit(WRITES_IN_FLIGHT);
    const ofRepository = (repository) => chunks.filter.byProperty('repo').equal(repository);
    async function count(repository) {
        return (await retried(() => chunks.aggregate.overAll({ filters: ofRepository(repository) }))).totalCount;
    }
    async function list(filters) {
        const page = await retried(() => chunks.query.fetchObjects({ filters, limit: LIST_PAGE * 2, returnProperties: ['path'] }));
        return page.objects.map(({ uuid, properties }) => ({ id: uuid, path: properties.path }));
    }
    async function* inventory(repository) {
        const pages = Math.ceil((await count(repository)) / LIST_PAGE);
        const step = Math.max(1, Math.floor(256 / Math.max(1, pages)));
        for (let from = 0; from < 256; from += step) {
            const bucket = chunks.filter.byProperty('bucket');
            yield await list(Filters.and(ofRepository(repository), bucket.greaterOrEqual(from), bucket.lessThan(from + step)));
        }
    }
    async function deleteByIds(list) {
        for (let at = 0; at < list.length; at += DELETE_BATCH) {
            const batch = list.slice(at, at + DELETE_BATCH);
            const result = await retried(() => chunks.data.deleteMany(chunks.filter.byId().containsAny(batch)));
            if (result.failed > 0) {
                throw new LonghaulError('IndexIncomplete', `Weaviate could not delete ${result.failed} objects.`);
            }
        }
    }
    async function write(objects) {
        const batches = [];
        for (let at = 0; at < objects.length; at += WRITE_BATCH) {
            const batch = objects.slice(at, at + WRITE_BATCH);
            batches.push(slot(() => writeBatch(chunks, batch)));
        }
        await Promise.all(batches);
    }
    return {
        names,
        prepare: () => ensureSchema(client, names),
        write,
        delete: deleteByIds,
        count,
        inventory,
        async deleteRepository(repository) {
            let deleted = 0;
            for (;;) {
                const { matches, successful, failed } = await retried(() => chunks.data.deleteMany(ofRepository(repository)));
                deleted += successful;
                if (failed > 0) {
                    throw new LonghaulError('IndexIncomplete', `Weaviate could not delete ${failed} objects of ${repository}.`);
                }
                if (matches === 0)
                    break;
            }
            await retried(() => receipts.data.deleteById(receiptId(repository)));
            return deleted;
        },
        async idsOfPaths(repository, paths) {
            const found = [];
            for (let at = 0; at < paths.length; at += 50) {
                const path = chunks.filter.byProperty('path').containsAny(paths.slice(at, at + 50));
                found.push(...(await list(Filters.and(ofRepository(repository), path))).map(({ id }) => id));
            }
            return found;
        },
        async readReceipt(repository) {
            const found = await retried(() => receipts.query.fetchObjectById(receiptId(repository)));
            return found === null ? null : receiptOf(found.properties);
        },
        async writeReceipt(receipt) {
            const object = { id: receiptId(receipt.repository, receipt.ref), properties: propertiesOf(receipt) };
            const result = await retried(() => receipts.data.insertMany([object]));
            const [error] = Object.values(result.errors);
            if (error) {
                throw new LonghaulError('IndexIncomplete', `The receipt of ${receipt.repository} was refused: ${error.message}`);
            }
        },
        async receipts() {
            const all = await retried(async () => {
                const found = [];
                for await (const { properties } of receipts.iterator())
                    found.push(receiptOf(properties));
                return found;
            });
            return all.sort((a, b) => (a.repository < b.repository ? -1 : 1));
        },
    };
}
async function writeBatch(chunks, batch) {
    let left = batch;
    for (let attempt = 1;; attempt++) {
        const objects = left.map(({ id, properties, vector }) => ({
            id,
            properties: { ...properties, bucket: Number.parseInt(id.slice(0, 2), 16) },
            vectors: Array.from(vector),
        }));
        const { errors } = await retried(() => chunks.data.insertMany(objects));
        const refused = Object.entries(errors);
        if (refused.length === 0)
            return;
        const [, first] = refused[0] ?? [];
        if (attempt === TRIES) {
            throw new LonghaulError('IndexIncomplete', `Weaviate refused ${refused.length} of ${batch.length} objects: ${first?.message ?? 'no reason given'}`);
        }
        const failed = new Set(refused.map(([index]) => Number(index)));
        left = left.filter((_, index) => failed.has(index));
        await pause(attempt);
    }
}
/**
 * Tries again: a server that restarts must not cost the whole repository. When it stays away, `ServerUnavailable`, which the
 * flow waits out.
 */
async function retried(call) {
    for (let attempt = 1;; attempt++) {
        try {
            return await call();
        }
        catch (error) {
            if (attempt === TRIES)
                throw isConnectionLoss(error) ? unavailable(error) : error;
            await pause(attempt);
        }
    }
}
function pause(attempt) {
    return new Promise((resolve) => {
        setTimeout(resolve, 250 * 2 ** attempt);
    });
}
function propertiesOf(receipt) {
    const { branch, timestamp, pending, ...rest } = receipt;
    return {
        ...rest,
        branch: branch ?? '',
        timestamp: timestamp ?? '',
        pending: pending === null ? '' : JSON.stringify(pending),
    };
}
function receiptOf(properties) {
    const { branch, timestamp, pending, ...rest } = properties;
    return {
        ...rest,
        ref: rest.ref || DEFAULT_REF,
        branch: branch === '' ? null : branch,
        timestamp: timestamp === '' ? null : timestamp,
        pending: pending === '' ? null : JSON.parse(pending),
    };
}
//# sourceMappingURL=store.js.map