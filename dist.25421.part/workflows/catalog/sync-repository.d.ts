import type { IngestStreamInput, RepositoryOutcome, SyncRepositoryInput } from '../../domain/catalog/flows.ts';
/**
 * Brings the index of one repository to where its HEAD is: mgit's differential since the receipt, streamed into Weaviate,
 * the receipt last. Its workflow id `sync/<repository id>` is the lock; on failure the old receipt stays, and the next run
 * repairs (seed 000, workflows 1 to 3).
 */
export declare function syncRepository(input: SyncRepositoryInput): Promise<RepositoryOutcome>;
/** Ingests a change stream that another producer made and `longhaul index stdin` spooled (contracts of seed 000). */
export declare function ingestStream(input: IngestStreamInput): Promise<RepositoryOutcome>;
/** Takes one repository out of the index: its objects first, its receipt last. */
export declare function removeRepository(input: {
    readonly repository: string;
}): Promise<RepositoryOutcome>;
