import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createStreamSpool } from '../activities/index/stream-spool.ts';
import type { RepositoryOutcome } from '../domain/catalog/flows.ts';
import type { CliContext } from './cli/context.ts';
import { connectTemporal } from './cli/servers.ts';
import { startFlow } from './flows.ts';

/**
 * Keeps a change stream in the blob store and lets one flow for each repository ingest it. The worker must see the same
 * data folder. Throws `InvalidInput` naming the line before anything is ingested.
 */
export async function ingestLines(
  context: CliContext,
  input: Readable,
  provider: string,
): Promise<RepositoryOutcome[]> {
  const { dataDir, config } = context;
  const spool = createStreamSpool(join(dataDir, 'blobs'), config.index.maxFileBytes);
  const streams = await spool.put(input, provider);
  const session = await connectTemporal(context);
  try {
    const outcomes: RepositoryOutcome[] = [];
    for (const { repository, stream } of streams) {
      const handle = await startFlow(session.client, 'ingestStream', { repository, stream });
      outcomes.push(await handle.result());
      await spool.discard(repository, stream);
    }
    return outcomes;
  } finally {
    await session.close();
  }
}
