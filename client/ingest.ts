import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createStreamSpool } from '../activities/index/stream-spool.ts';
import type { RepositoryOutcome } from '../domain/catalog/flows.ts';
import type { CliContext } from './cli/context.ts';
import { connectTemporal } from './cli/servers.ts';
import { startFlow } from './flows.ts';

/**
 * Keeps a change stream in the blob store and lets one flow for each repository ingest it. The worker must see the same
 * data folder. Throws `InvalidInput` naming the line before anything is ingested, and in the end
 * the first failure of a flow.
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
    const failures: unknown[] = [];
    for (const { repository, stream } of streams) {
      try {
        const handle = await startFlow(session.client, 'ingestStream', { repository, stream });
        outcomes.push(await handle.result());
      } catch (error) {
        // one that fails never stops the others
        failures.push(error);
      }
      await spool.discard(repository, stream);
    }
    if (failures.length > 0) throw failures[0];
    return outcomes;
  } finally {
    await session.close();
  }
}
