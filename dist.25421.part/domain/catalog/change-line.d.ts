import type { Change, FilePath, SkipReason } from './change.ts';
import type { Snapshot } from './receipt.ts';
/** Largest content, in bytes, that a line carries as text. */
export declare const TEXT_LIMIT = 10000;
/** Largest content, in bytes, that a line carries in base64; beyond it a line names a file. */
export declare const BASE64_LIMIT = 100000;
/** What a line says of a content that is too large for it, or that only the caller can know. */
export interface LineExtras {
    /** Absolute path of a file with the content; required when {@link needsFile} says so. */
    readonly contentRef?: string;
    /** SHA-256 of the content in hexadecimal. */
    readonly contentHash?: string;
}
/** True when a content of this size does not go into a line. */
export declare function needsFile(size: number): boolean;
/**
 * One change as an object for a line of JSON: the fields that mgit specified, those that its releases print and those that
 * elysiactl reads (`size` and `size_bytes`, `mime` and `mime_type`), with the identities of both sides beside them. A file
 * that is not skipped has exactly one of `content`, `content_base64`, `content_ref`.
 */
export declare function encodeChange(repositoryId: string, change: Change, extras?: LineExtras): Record<string, unknown>;
/**
 * The last line of a repository's stream: where the index is when it has taken in every line before. Its parent is where
 * the stream started: null when it lists everything.
 */
export declare function encodeChangeset(repositoryId: string, from: Snapshot | null, to: Snapshot): Record<string, unknown>;
/** Where a line's content is. */
export type LineContent = {
    readonly kind: 'bytes';
    readonly bytes: Uint8Array;
}
/** In the file at this absolute path. */
 | {
    readonly kind: 'file';
    readonly path: string;
}
/** The line has none: the file is skipped, or the producer leaves it to the reader to find it. */
 | {
    readonly kind: 'none';
};
/** One side of a change as a line tells it; null is what the producer did not say. */
export interface LineSide extends FilePath {
    readonly oid: string | null;
    readonly mode: string | null;
    readonly skip: SkipReason | null;
}
/** A line about a file. */
export interface FileLine {
    readonly kind: 'file';
    /** 1 for the first line of the stream. */
    readonly line: number;
    /** The producer's name for the repository, often a basename; null on a bare path. */
    readonly repo: string | null;
    /** The full id; null when the producer is not Longhaul. */
    readonly repoId: string | null;
    readonly op: Change['op'];
    readonly file: LineSide;
    /** The former self: on `rename` always, under its former path; else when the line says anything of it. */
    readonly old: LineSide | null;
    /** Size in bytes; null when the line does not say. */
    readonly size: number | null;
    readonly content: LineContent;
}
/** The line that ends a repository's stream. */
export interface ChangesetLine {
    readonly kind: 'changeset';
    readonly line: number;
    readonly repo: string | null;
    readonly repoId: string | null;
    /** What the producer knew; a repository without a commit has no `commit`. */
    readonly commit: string | null;
    readonly parent: string | null;
    readonly branch: string | null;
    readonly tree: string | null;
    readonly timestamp: string | null;
}
/** A line of the stream, read. */
export type ChangeLine = FileLine | ChangesetLine;
/**
 * Reads one line from any producer: both spellings of every field, a bare path (`modify`), a missing `op`, mgit's null
 * content of a binary file, a changeset with or without its parent, tree and time. Null for an empty line. Throws
 * `InvalidInput` naming the line.
 */
export declare function parseChangeLine(text: string, line: number): ChangeLine | null;
