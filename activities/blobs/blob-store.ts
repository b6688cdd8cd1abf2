import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { type Objects, streamOver } from './objects.ts';

/** Stored content, identified by its digest. */
export interface Blob {
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

/** A blob that is being written; it exists only on this machine until it is committed. */
export interface BlobDraft {
  /** Appends bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Stores the complete blob: from then on every process that shares the store can open it. Storing existing content
   * again is allowed.
   */
  commit(): Promise<Blob>;
  /** Deletes an unfinished draft. Allowed at any time. */
  discard(): Promise<void>;
}

/**
 * Contents too large for a workflow's history, identified by digest, and small records, identified by name. Contents
 * are streamed, never in memory as a whole. Every call may be repeated. A store on a server throws `ServerUnavailable`,
 * `AuthenticationFailed`, `InvalidConfiguration`.
 */
export interface BlobStore {
  /** Where it is, for messages. */
  readonly place: string;
  /** Starts a blob that is written in pieces. */
  draft(): Promise<BlobDraft>;
  /** Stores content. */
  put(content: AsyncIterable<Uint8Array>): Promise<Blob>;
  /**
   * Opens content and checks it while it is read: if it does not match its digest, the stream fails with `BlobDamaged`
   * instead of ending. Throws `BlobNotFound`.
   */
  open(digest: string): Promise<Readable>;
  /** Whether the store has this content. */
  has(digest: string): Promise<boolean>;
  /** Deletes content, if it exists. */
  delete(digest: string): Promise<void>;
  /**
   * Stores a small record permanently under a descriptive name. Throws `RecordExists` when the record exists with other
   * content.
   */
  putRecord(name: string, content: Uint8Array): Promise<void>;
  /** Reads a record; null when it does not exist. */
  getRecord(name: string): Promise<Uint8Array | null>;
  /** The names of the records below a folder (`audit/2026/`; all for the empty string), in byte order. */
  listRecords(folder: string): AsyncIterable<string>;
  /** Deletes a record, if it exists. */
  deleteRecord(name: string): Promise<void>;
}

const RECORDS = 'records/';
const DIGEST = /^[0-9a-f]{64}$/;
/** Names that are safe as file paths and object keys everywhere. */
const RECORD_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const LONGEST_NAME = 500;

/** A store over these objects. `making` is a local folder in which contents are written before they are stored. */
export function createBlobStore(objects: Objects, making: string): BlobStore {
  const { place } = objects;

  async function draft(): Promise<BlobDraft> {
    await mkdir(making, { recursive: true, mode: 0o700 });
    await removeTemporaries(making);
    const path = temporaryPath(join(making, 'blob'));
    const file = await open(path, 'wx', 0o600);
    const hash = createHash('sha256');
    let size = 0;
    return {
      async write(bytes) {
        hash.update(bytes);
        size += bytes.length;
        await file.writeFile(bytes);
      },
      async commit() {
        await file.sync();
        await file.close();
        const digest = hash.digest('hex');
        // also when it exists: storing content again repairs a damaged copy
        await objects.putFile(blobName(digest), path, size);
        await rm(path, { force: true });
        return { digest, size };
      },
      async discard() {
        await file.close().catch(() => undefined);
        await rm(path, { force: true });
      },
    };
  }

  async function* checked(content: Readable, digest: string): AsyncGenerator<Buffer, void> {
    const hash = createHash('sha256');
    for await (const bytes of content as AsyncIterable<Buffer>) {
      hash.update(bytes);
      yield bytes;
    }
    const actual = hash.digest('hex');
    if (actual === digest) return;
    throw new LonghaulError(
      'BlobDamaged',
      `The content of ${digest} in ${place} has changed (its SHA-256 is now ${actual}).`,
    );
  }

  async function getRecord(name: string): Promise<Uint8Array | null> {
    const content = await objects.open(RECORDS + checkName(name));
    return content && Buffer.concat((await content.toArray()) as Buffer[]);
  }

  return {
    place,
    draft,
    async put(content) {
      const made = await draft();
      try {
        for await (const bytes of content) await made.write(bytes);
        return await made.commit();
      } finally {
        await made.discard();
      }
    },
    async open(digest) {
      const content = await objects.open(blobName(digest));
      if (content === null) {
        throw new LonghaulError('BlobNotFound', `There is no content ${digest} in ${place}.`);
      }
      return streamOver(content, (bytes) => checked(bytes, digest));
    },
    has: async (digest) => objects.has(blobName(digest)),
    delete: async (digest) => objects.delete(blobName(digest)),
    async putRecord(name, content) {
      if (await objects.create(RECORDS + checkName(name), content)) return;
      const held = await getRecord(name);
      if (held !== null && Buffer.compare(held, content) === 0) return;
      throw new LonghaulError(
        'RecordExists',
        `The record ${name} in ${place} exists with other content, and records are never rewritten.`,
      );
    },
    getRecord,
    async *listRecords(folder) {
      if (folder !== '' && !folder.endsWith('/')) throw new TypeError(`${folder} is not a folder: end it with a slash`);
      for await (const name of objects.list(RECORDS + folder)) yield name.slice(RECORDS.length);
    },
    deleteRecord: async (name) => objects.delete(RECORDS + checkName(name)),
  };
}

function blobName(digest: string): string {
  if (!DIGEST.test(digest)) throw new TypeError(`${digest} is not a SHA-256 of 64 hexadecimal digits`);
  return `sha256/${digest.slice(0, 2)}/${digest}`;
}

function checkName(name: string): string {
  if (RECORD_NAME.test(name) && name.length <= LONGEST_NAME) return name;
  throw new TypeError(
    `${name} is not a valid record name: use letters, digits, dot, dash, underscore and slashes between them`,
  );
}
