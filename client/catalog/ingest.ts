import { openBlobs } from '../../activities/blobs/open-blobs.ts';
import { createStreamSpool } from '../../activities/index/stream-spool.ts';
import { ingestStreamFlow } from '../../domain/catalog/flows/repository-flows.ts';
import type { RepositoryOutcome } from '../../domain/fleet/fleet.ts';
import type { CliContext } from '../core/context.ts';
import type { Input } from '../core/io.ts';
import { connectTemporal } from '../core/servers.ts';
import { startDeclared } from '../core/start-flow.ts';

/**
 * Keeps a change stream in the blob store, which the worker must share, and lets one flow for each repository ingest it.
 * Throws `InvalidInput` naming the line before anything is ingested, and in the end the first failure of a flow.
 */
export async function ingestLines(context: CliContext, input: Input, provider: string): Promise<RepositoryOutcome[]> {
  const spool = createStreamSpool(await openBlobs(context, context.env), context.config.index.maxFileBytes);
  const streams = await spool.put(input, provider);
  const session = await connectTemporal(context);
  try {
    const outcomes: RepositoryOutcome[] = [];
    const failures: unknown[] = [];
    for (const { repository, stream } of streams) {
      try {
        const handle = await startDeclared(session.client, ingestStreamFlow, { repository, stream });
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
