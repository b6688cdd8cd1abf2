import type { Change, FullReason } from '../../domain/catalog/change.ts';
import type { Snapshot } from '../../domain/catalog/receipt.ts';
import type { Git } from './git.ts';
import type { Access } from './source.ts';
/** The way from one snapshot of a repository to another. */
export interface Differential {
    /** Where it starts; null when it starts from nothing. */
    readonly from: Snapshot | null;
    readonly to: Snapshot;
    /** Why it starts from nothing, although it was asked to start from a snapshot; null when it does not. */
    readonly full: FullReason | null;
    /** Number of changes. */
    readonly files: number;
    /**
     * The changes in the order of their paths. Contents are read as they are asked for, and no further ahead than pipes hold.
     * Throws `GitFailed` when an object is missing.
     */
    changes(): AsyncIterable<Change>;
    /** Blobs of the old side, each once and in this order; null for one that cannot be had any more or is too large. */
    readOld(oids: readonly string[]): AsyncIterable<{
        readonly oid: string;
        readonly content: Uint8Array | null;
    }>;
}
/** What differentials are made with. */
export interface DifferentialTools {
    readonly git: Git;
    readonly cacheDir: string;
    /** Larger files are skipped, and never in memory. */
    readonly maxFileBytes: number;
}
/** See `Mgit.diff`. */
export interface DifferentialOptions {
    readonly target?: Snapshot;
    readonly full?: FullReason;
}
/** Finds out what changed; reads no content yet. */
export declare function differentiate(tools: DifferentialTools, access: Access, since: Snapshot | null, { target, full }: DifferentialOptions): Promise<Differential>;
