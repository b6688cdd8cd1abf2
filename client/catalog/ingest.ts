import { openBlobs } from '../../activities/blobs/open-blobs.ts';
import { createStreamSpool } from '../../activities/index/stream-spool.ts';
import { ingestStreamFlow } from '../../domain/catalog/flows/repository-flows.ts';
import type { RepositoryOutcome } from '../../domain/catalog/flows/fleet.ts';
import type { CliContext } from '../core/context.ts';
import type { Input } from '../core/io.ts';
import { connectTemporal } from '../core/servers.ts';
import { startDeclared } from '../core/start-flow.ts';

/** The results of ingesting a change stream, by repository. */
export interface Ingested {
  readonly outcomes: readonly RepositoryOutcome[];
  /** The repositories that failed, each with its error. */
  readonly failures: readonly { readonly repository: string; readonly error: unknown }[];
}

/**
 * Stores a change stream in the blob store, which the worker must share, and starts one flow for each repository to
 * ingest it. A failing repository does not stop the others. Throws `InvalidInput` naming the line before anything is
 * ingested.
 *
 * The flow deletes the stream after ingesting it. This function never deletes it, even after an error: a flow whose
 * start or result this process did not receive may still be running and need it.
 */
export async function ingestLines(context: CliContext, input: Input, provider: string): Promise<Ingested> {
  const spool = createStreamSpool(await openBlobs(context, context.env), context.config.index.maxFileBytes);
  const streams = await spool.put(input, provider);
  const session = await connectTemporal(context);
  const outcomes: RepositoryOutcome[] = [];
  const failures: { repository: string; error: unknown }[] = [];
  try {
    for (const { repository, stream } of streams) {
      try {
        const handle = await startDeclared(session.client, ingestStreamFlow, { repository, stream });
        outcomes.push(await handle.result());
      } catch (error) {
        failures.push({ repository, error });
      }
    }
    return { outcomes, failures };
  } finally {
    await session.close();
  }
}
