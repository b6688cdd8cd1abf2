import type { Readable } from 'node:stream';
import type { Receipt } from '../../domain/catalog/receipt.ts';
import type { ChangeSource } from './ingest.ts';
/** One repository's part of a change stream, kept in the blob store. */
export interface SpooledStream {
    readonly repository: string;
    /** SHA-256 of the file, its name in the blob store. */
    readonly stream: string;
}
/** Keeps change streams of other producers until a flow ingests them: contents never travel through workflow history. */
export interface StreamSpool {
    /**
     * Reads a JSONL change stream to its end, checks every line, and keeps each repository's part. `provider` begins the id
     * of a repository whose lines carry no `repo_id`. Throws `InvalidInput` naming the line; then nothing is kept.
     */
    put(input: Readable, provider: string): Promise<SpooledStream[]>;
    /** A kept stream as a source of changes. Throws `InvalidInput` when it does not begin where the index is. */
    open(stream: string, previous: Receipt | null): Promise<ChangeSource>;
}
/** A spool in this folder. `maxFileBytes`: larger contents are skipped as `too-large`. */
export declare function createStreamSpool(folder: string, maxFileBytes: number): StreamSpool;
