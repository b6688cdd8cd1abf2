import { join } from 'node:path';
import { createStreamSpool } from '../activities/index/stream-spool.js';
import { connectTemporal } from './cli/servers.js';
import { startFlow } from './flows.js';
/**
 * Keeps a change stream in the blob store and lets one flow for each repository ingest it. The worker must see the same
 * data folder. Throws `InvalidInput` naming the line before anything is ingested.
 */
export async function ingestLines(context, input, provider) {
    const { dataDir, config } = context;
    const spool = createStreamSpool(join(dataDir, 'blobs'), config.index.maxFileBytes);
    const streams = await spool.put(input, provider);
    const session = await connectTemporal(context);
    try {
        const outcomes = [];
        for (const { repository, stream } of streams) {
            const handle = await startFlow(session.client, 'ingestStream', { repository, stream });
            outcomes.push(await handle.result());
        }
        return outcomes;
    }
    finally {
        await session.close();
    }
}
//# sourceMappingURL=ingest.js.map