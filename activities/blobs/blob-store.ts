import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { type Objects, streamOver } from './objects.ts';

/** A content, named by what it is. */
export interface Blob {
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

/** A blob while it is written; on this machine only, until it is kept. */
export interface BlobDraft {
  /** Appends bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes it whole: from here on every process that shares the store can open it. Keeping what is there already is fine. */
  keep(): Promise<Blob>;
  /** Forgets what was not kept. Fine at any time. */
  discard(): Promise<void>;
}

/**
 * Contents too large for a workflow's history, referred to by digest, and small records referred to by name. Contents pass
 * through, they are never in memory as a whole. Everything may be repeated. Throws `ServerUnavailable`,
 * `AuthenticationFailed`, `InvalidConfiguration` where the store is a server's.
 */
export interface BlobStore {
  /** Where it is, for messages. */
  readonly place: string;
  /** Begins a blob that is written bit by bit. */
  draft(): Promise<BlobDraft>;
  /** Keeps a content. */
  put(content: AsyncIterable<Uint8Array>): Promise<Blob>;
  /**
   * A content, checked as it is read: the stream fails with `BlobDamaged` instead of ending when it is another one. Throws
   * `BlobNotFound`.
   */
  open(digest: string): Promise<Readable>;
  /** Whether the store has this content. */
  has(digest: string): Promise<boolean>;
  /** Forgets a content; nothing happens when there is none. */
  delete(digest: string): Promise<void>;
  /** Keeps a small record under a name that says what it is of, for ever: throws `RecordExists` when it holds anything else. */
  putRecord(name: string, content: Uint8Array): Promise<void>;
  /** The record of this name; null when there is none. */
  getRecord(name: string): Promise<Uint8Array | null>;
  /** The names of the records below a folder (`audit/2026/`; all for the empty text), in the order of their bytes. */
  listRecords(folder: string): AsyncIterable<string>;
  /** Forgets a record; nothing happens when there is none. */
  deleteRecord(name: string): Promise<void>;
}

const RECORDS = 'records/';
const DIGEST = /^[0-9a-f]{64}$/;
/** What is safe as a file's path and as an object's key everywhere. */
const RECORD_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const LONGEST_NAME = 500;

/** A store over these objects. `making`: a folder of this machine, in which contents are put together before they are kept. */
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
      async keep() {
        await file.sync();
        await file.close();
        const digest = hash.digest('hex');
        // also where it is already: what is damaged there is mended by giving it again
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
      `What is kept as ${digest} in ${place} is another content now (its SHA-256 is ${actual}).`,
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
        return await made.keep();
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
        `The record ${name} in ${place} holds something else, and is never rewritten.`,
      );
    },
    getRecord,
    async *listRecords(folder) {
      if (folder !== '' && !folder.endsWith('/')) throw new TypeError(`${folder} is no folder: end it with a slash`);
      for await (const name of objects.list(RECORDS + folder)) yield name.slice(RECORDS.length);
    },
    deleteRecord: async (name) => objects.delete(RECORDS + checkName(name)),
  };
}

function blobName(digest: string): string {
  if (!DIGEST.test(digest)) throw new TypeError(`${digest} is no SHA-256 of 64 hexadecimal digits`);
  return `sha256/${digest.slice(0, 2)}/${digest}`;
}

function checkName(name: string): string {
  if (RECORD_NAME.test(name) && name.length <= LONGEST_NAME) return name;
  throw new TypeError(
    `${name} is no name of a record: letters, digits, dot, dash, underscore and slashes between them`,
  );
}
