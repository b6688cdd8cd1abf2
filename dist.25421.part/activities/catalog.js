import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { addressOf } from '../domain/catalog/flows.js';
import { isIndexed, pageOf } from '../domain/catalog/plan.js';
import { LonghaulError } from '../domain/failures.js';
import { ingest } from './index/ingest.js';
import { addressOfReceipt } from './planner.js';
/** Between two heartbeats while nothing else reports progress, such as during a long fetch. */
const HEARTBEAT_MS = 5_000;
/** See {@link CatalogActivities}. */
export function createCatalogActivities(tools) {
    const { mgit, store, spool, planner } = tools;
    const { digest } = tools.analyzer;
    return {
        listUnindexed: ({ patterns, after, limit }) => heartbeating(async (signal) => pageOf(await planner.onboarding(patterns ?? ['*/*/*'], signal), after, limit)),
        findChanged: ({ patterns, after, limit }) => heartbeating(async (signal) => pageOf(await planner.sync(patterns, signal), after, limit)),
        findIndexed: ({ patterns, after, limit }) => heartbeating(async () => pageOf(await planner.removal(patterns), after, limit)),
        indexRepository: ({ repository }) => heartbeating(async (signal, report) => {
            const started = Date.now();
            const id = typeof repository === 'string' ? repository : repository.id;
            const before = await store.readReceipt(id);
            const address = typeof repository === 'object'
                ? repository
                : before
                    ? addressOfReceipt(before)
                    : addressOf(await mgit.find(id, { signal }));
            const runs = await bringUpToDate(tools, address, before, { signal, onProgress: report });
            return outcomeOf(runs, id, Date.now() - started);
        }),
        ingestStream: ({ repository, stream }) => heartbeating(async (signal, report) => {
            const started = Date.now();
            const previous = await store.readReceipt(repository);
            if (previous !== null && previous.digest !== digest) {
                throw new LonghaulError('SchemaMismatch', `${repository} was indexed with another chunker or model: remove it and ingest a full stream.`);
            }
            const source = await spool.open(stream, previous);
            const address = { id: repository, cloneUrl: previous?.cloneUrl ?? `stream:${repository}` };
            const run = await ingest(tools, address, source, previous, { signal, onProgress: report });
            return outcomeOf([{ ...run, full: source.full }], repository, Date.now() - started);
        }),
        removeRepository: ({ repository }) => heartbeating(async () => {
            const started = Date.now();
            const receipt = await store.readReceipt(repository);
            const objectsDeleted = await store.deleteRepository(repository);
            return {
                repository,
                commit: receipt?.commit ?? '',
                full: null,
                filesChanged: receipt?.files ?? 0,
                objectsWritten: 0,
                objectsDeleted,
                objects: 0,
                embedded: 0,
                embeddingsReused: 0,
                skipped: {},
                durationMs: Date.now() - started,
            };
        }),
    };
}
/**
 * Finishes what an earlier run left under way, exactly to where it was going; then goes on to where HEAD is now. When
 * Weaviate does not hold what git asks for, everything is read once more and compared.
 */
async function bringUpToDate(tools, repository, previous, options) {
    const { digest } = tools.analyzer;
    const runs = [];
    let receipt = previous;
    if (receipt?.pending && receipt.digest === digest) {
        const run = await indexDifference(tools, repository, receipt, { target: receipt.pending }, options);
        runs.push(run);
        receipt = run.receipt;
    }
    const full = receipt !== null && receipt.digest !== digest ? 'index-settings-changed' : undefined;
    try {
        runs.push(await indexDifference(tools, repository, receipt, full ? { full } : {}, options));
    }
    catch (error) {
        if (!(error instanceof LonghaulError) || error.type !== 'IndexIncomplete')
            throw error;
        runs.push(await indexDifference(tools, repository, receipt, { full: 'interrupted-run' }, options));
    }
    return runs;
}
/** mgit's differential since the receipt, ingested. Nothing is written when there is none. */
async function indexDifference(tools, repository, receipt, question, options) {
    const since = receipt !== null && receipt.commit !== '' ? receipt : null;
    const delta = await tools.mgit.diff(repository, since, { ...question, signal: options.signal });
    const { full } = delta;
    if (receipt && isIndexed(receipt, tools.analyzer.digest) && full === null && isSameSnapshot(delta.to, receipt)) {
        return { ...NOTHING_DONE, receipt, full };
    }
    const source = { to: delta.to, full, changes: () => delta.changes(), readOld: (oids) => delta.readOld(oids) };
    return { ...(await ingest(tools, repository, source, receipt, options)), full };
}
const NOTHING_DONE = {
    files: 0,
    filesChanged: 0,
    objectsWritten: 0,
    objectsDeleted: 0,
    embedded: 0,
    embeddingsReused: 0,
    skipped: {},
};
function isSameSnapshot(a, b) {
    return a.commit === b.commit && a.tree === b.tree && a.branch === b.branch;
}
function outcomeOf(runs, repository, durationMs) {
    const sum = (count) => runs.reduce((total, run) => total + count(run), 0);
    const last = runs.at(-1);
    return {
        repository,
        commit: last?.receipt.commit ?? '',
        full: runs.find((run) => run.full !== null)?.full ?? null,
        filesChanged: sum((run) => run.filesChanged),
        objectsWritten: sum((run) => run.objectsWritten),
        objectsDeleted: sum((run) => run.objectsDeleted),
        objects: last?.receipt.objects ?? 0,
        embedded: sum((run) => run.embedded),
        embeddingsReused: sum((run) => run.embeddingsReused),
        skipped: last?.skipped ?? {},
        durationMs,
    };
}
/** Runs an activity's work with a heartbeat every few seconds and the signal that tells it to stop. */
async function heartbeating(work) {
    let details;
    const timer = setInterval(() => heartbeat(details), HEARTBEAT_MS);
    try {
        return await work(cancellationSignal(), (progress) => {
            details = progress;
            heartbeat(progress);
        });
    }
    finally {
        clearInterval(timer);
    }
}
//# sourceMappingURL=catalog.js.map