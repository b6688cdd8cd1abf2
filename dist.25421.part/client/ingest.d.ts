import type { Readable } from 'node:stream';
import type { RepositoryOutcome } from '../domain/catalog/flows.ts';
import type { CliContext } from './cli/context.ts';
/**
 * Keeps a change stream in the blob store and lets one flow for each repository ingest it. The worker must see the same
 * data folder. Throws `InvalidInput` naming the line before anything is ingested.
 */
export declare function ingestLines(context: CliContext, input: Readable, provider: string): Promise<RepositoryOutcome[]>;
