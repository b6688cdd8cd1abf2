import type { Change, FullReason, SkipReason } from '../../domain/catalog/change.ts';
import { type Receipt, type Snapshot } from '../../domain/catalog/receipt.ts';
import type { RepositoryAddress } from '../../domain/catalog/repository.ts';
import type { Analyzer } from './analyzer.ts';
import type { IndexStore } from './store.ts';
/** The way from one snapshot to another: what {@link ingest} reads. mgit's differential is one; a spooled stream another. */
export interface ChangeSource {
    readonly to: Snapshot;
    /** Why every file of the new tree comes as an `add`; null when only what changed comes. */
    readonly full: FullReason | null;
    changes(): AsyncIterable<Change>;
    /** Blobs of the old side, whose chunks must be counted again; null when the producer cannot give them. */
    readonly readOld: ((oids: readonly string[]) => AsyncIterable<{
        readonly oid: string;
        readonly content: Uint8Array | null;
    }>) | null;
}
/** How many chunks a file has, remembered by its content and name: deleting a file then needs no content. */
export interface ChunkCounts {
    get(file: {
        readonly blob: string;
        readonly name: string;
    }): number | undefined;
    put(files: readonly {
        readonly blob: string;
        readonly name: string;
        readonly chunks: number;
    }[]): void;
}
/** What {@link ingest} works with. */
export interface IngestTools {
    readonly store: IndexStore;
    readonly analyzer: Analyzer;
    readonly counts: ChunkCounts;
}
/** How far an ingestion is, for heartbeats and progress bars. */
export interface IngestProgress {
    readonly files: number;
    readonly objectsWritten: number;
    readonly objectsDeleted: number;
}
/** What an ingestion did. */
export interface IngestResult extends IngestProgress {
    readonly receipt: Receipt;
    readonly filesChanged: number;
    readonly embedded: number;
    readonly embeddingsReused: number;
    readonly skipped: Partial<Record<SkipReason, number>>;
}
/**
 * Makes the index of one repository equal to `source.to`: read, chunk, embed, write, delete what is gone, and the receipt
 * last. May be killed anywhere and repeated: objects have deterministic ids, and until the new receipt is written the old
 * one stays, with the target on it that this run is on its way to. Throws `IndexIncomplete` when Weaviate does not hold
 * what was written.
 */
export declare function ingest({ store, analyzer, counts }: IngestTools, repository: RepositoryAddress, source: ChangeSource, previous: Receipt | null, options: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: IngestProgress) => void;
}): Promise<IngestResult>;
