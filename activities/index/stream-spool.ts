import { readFile, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { sha256 } from '../../platform/sha256.ts';
import type { Change, FileWritten, OldFile } from '../../domain/git/change.ts';
import { type ChangeLine, type FileLine, type LineSide, parseChangeLine } from '../../domain/git/change-line.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import type { Snapshot } from '../../domain/git/snapshot.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID } from '../../domain/git/repository.ts';
import { readLimit, withinLimit } from '../../domain/git/notebook.ts';
import { skipByContent, skipByPath } from '../../domain/git/skip.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Blob, BlobStore } from '../blobs/blob-store.ts';
import type { ChangeSource } from './ingest.ts';
import { readLines } from './analysis/lines.ts';
import { blobOid } from './analysis/blob-oid.ts';

/** One repository's part of a change stream, stored in the blob store. */
export interface SpooledStream {
  readonly repository: string;
  /** Its digest in the blob store. */
  readonly stream: string;
}

/**
 * Stores change streams of other producers until a flow ingests them: contents are never part of workflow histories.
 */
export interface StreamSpool {
  /**
   * Reads a JSONL change stream to its end, checks every line, and stores each repository's part. `provider` is the
   * provider in the id of a repository whose lines have no `repo_id`. Throws `InvalidInput` with the line number, or
   * when the stream is empty; then nothing is stored. Also deletes the streams of all repositories that were
   * put more than {@link STREAM_DAYS} days ago.
   */
  put(input: Readable, provider: string): Promise<SpooledStream[]>;
  /**
   * A stored stream as a source of changes. Throws `InvalidInput` when it does not start at the indexed commit, or when
   * an earlier run to another commit was not finished: it is unknown which of that run's changes are in the index.
   * Throws `BlobNotFound`, `BlobDamaged` before anything of it is used.
   */
  open(repository: string, stream: string, previous: Receipt | null): Promise<ChangeSource>;
  /**
   * Deletes a stream that was ingested, unless it was put again since `before` (milliseconds since 1970). May be
   * repeated.
   */
  discard(repository: string, stream: string, before?: number): Promise<void>;
  /** Deletes all streams of a repository. */
  forget(repository: string): Promise<void>;
}

/** The last line of a spooled stream. */
interface End {
  readonly end: true;
  readonly parent: string | null;
  /** The stream lists everything: files that it does not name are deleted. */
  readonly fromNothing: boolean;
  readonly to: Partial<Snapshot> | null;
}

type SpooledChange = Omit<FileWritten, 'content'> & { readonly content: string | null };

/** A line of a spooled stream: its repository, a change, or the end. */
type Spooled = { readonly repository: string } | SpooledChange | Extract<Change, { op: 'delete' }> | End;

const NULL_OID = '0'.repeat(40);
const MODE_FILE = '100644';

/**
 * Days after which a stream that was not ingested is deleted. The flow that ingests a stream deletes it and takes at
 * most a day; the stream of a flow that failed, or was never started, can be stored again at any time.
 */
export const STREAM_DAYS = 14;
const STREAMS = 'streams/';
const DAY_MS = 24 * 3_600_000;

/** A spool in this store. `maxFileBytes`: larger contents are skipped as `too-large`. */
export function createStreamSpool(blobs: BlobStore, maxFileBytes: number): StreamSpool {
  async function discard(repository: string, stream: string, before = Number.POSITIVE_INFINITY): Promise<void> {
    const record = recordsOf(repository) + stream;
    if (((await storedAt(blobs, record)) ?? 0) >= before) return;
    await blobs.delete(stream);
    await blobs.deleteRecord(record);
  }

  /** Deletes streams that no flow reads any more. */
  async function tidy(): Promise<void> {
    const oldest = Date.now() - STREAM_DAYS * DAY_MS;
    for await (const record of blobs.listRecords(STREAMS)) {
      const stored = await storedAt(blobs, record);
      if (stored === null || stored > oldest) continue;
      await blobs.delete(digestOf(record));
      await blobs.deleteRecord(record);
    }
  }

  return {
    async put(input, provider) {
      await tidy();
      const parts = new Map<string, Part>();
      try {
        await readChangeLines(input, async (line) => {
          const repository = repositoryOf(line, provider);
          let part = parts.get(repository);
          if (part === undefined) parts.set(repository, (part = await openPart(blobs, repository)));
          if (line.kind === 'file') await part.write(await spooled(line, maxFileBytes));
          else part.end = { end: true, parent: line.parent, fromNothing: line.fromNothing, to: snapshotOf(line) };
        });
        const streams: SpooledStream[] = [];
        for (const [repository, part] of parts) {
          const { digest, size } = await part.commit();
          await writeRecord(blobs, recordsOf(repository) + digest, { repository, size, kept: Date.now() });
          streams.push({ repository, stream: digest });
        }
        return streams;
      } finally {
        for (const part of parts.values()) await part.discard();
      }
    },
    async open(repository, stream, previous) {
      const { parent, fromNothing, to } = await readEnd(blobs, repository, stream);
      const at = previous !== null && previous.commit !== '' ? previous.commit : null;
      // a stream may be ingested twice: its objects are the same
      if (parent !== null && parent !== at && (at === null || to?.commit !== at)) {
        throw new LonghaulError(
          'InvalidInput',
          `The stream starts at commit ${parent}, but the index is at ${at ?? 'nothing'}: provide a stream since that commit.`,
        );
      }
      const commit = to?.commit ?? at ?? NULL_OID;
      const unfinished = previous?.pending ?? null;
      if (unfinished !== null && !fromNothing && commit !== unfinished.commit) {
        throw new LonghaulError(
          'InvalidInput',
          `A run that takes ${repository} to commit ${unfinished.commit} was not finished, but the stream leads to ${commit}:` +
            'ingest the stream to that commit again, or a full one (`"parent": null`).',
        );
      }
      return {
        to: {
          commit,
          tree: to?.tree ?? '',
          branch: to?.branch ?? previous?.branch ?? null,
          timestamp: to?.timestamp ?? null,
        },
        full: fromNothing ? 'first-sync' : null,
        changes: () => readChanges(blobs, stream),
        readOld: null,
      };
    },
    discard,
    async forget(repository) {
      for await (const record of blobs.listRecords(recordsOf(repository))) {
        await blobs.delete(digestOf(record));
        await blobs.deleteRecord(record);
      }
    },
  };
}

/** The records that list a repository's streams, so that they can be deleted with it. */
function recordsOf(repository: string): string {
  return `${STREAMS}${sha256(repository).slice(0, 32)}/`;
}

function digestOf(record: string): string {
  return record.slice(record.lastIndexOf('/') + 1);
}

/** The record of a stream. */
interface StreamRecord {
  readonly repository: string;
  /** In bytes. */
  readonly size: number;
  /** When it was last stored, in milliseconds since 1970. Versions up to 0.4 did not record it. */
  readonly kept?: number;
}

/** Storing a stream again restarts its retention period. */
async function writeRecord(blobs: BlobStore, name: string, record: StreamRecord): Promise<void> {
  await blobs.deleteRecord(name);
  try {
    await blobs.putRecord(name, Buffer.from(JSON.stringify(record)));
  } catch (error) {
    // another process stored the same stream at this moment: its time is good enough
    if (!(error instanceof LonghaulError && error.type === 'RecordExists')) throw error;
  }
}

/** When a stream was stored; null when it has no record. A record of an earlier version counts as stored now. */
async function storedAt(blobs: BlobStore, name: string): Promise<number | null> {
  const content = await blobs.getRecord(name);
  if (content === null) return null;
  const record = JSON.parse(Buffer.from(content).toString('utf8')) as StreamRecord;
  if (record.kept !== undefined) return record.kept;
  const kept = Date.now();
  await writeRecord(blobs, name, { ...record, kept });
  return kept;
}

/** A repository's stream while it is written. */
interface Part {
  end: End;
  write(change: SpooledChange | Extract<Change, { op: 'delete' }>): Promise<void>;
  commit(): Promise<Blob>;
  discard(): Promise<void>;
}

async function openPart(blobs: BlobStore, repository: string): Promise<Part> {
  const draft = await blobs.draft();
  const append = (value: Spooled): Promise<void> => draft.write(Buffer.from(`${JSON.stringify(value)}\n`));
  // two repositories never share a stream blob: each can be deleted by itself
  await append({ repository });
  const part: Part = {
    end: { end: true, parent: null, fromNothing: false, to: null },
    write: append,
    async commit() {
      await append(part.end);
      return draft.commit();
    },
    discard: () => draft.discard(),
  };
  return part;
}

async function readChangeLines(input: Readable, use: (line: ChangeLine) => Promise<void>): Promise<void> {
  let isEmpty = true;
  for await (const { number, text } of readLines(input)) {
    const line = parseChangeLine(text, number);
    if (line === null) continue;
    isEmpty = false;
    await use(line);
  }
  if (isEmpty) {
    throw new LonghaulError(
      'InvalidInput',
      'The change stream is empty: a producer without changes ends its stream with a new_changeset line.',
    );
  }
}

function repositoryOf(line: ChangeLine, provider: string): string {
  const named = line.repoId ?? (line.repo === null ? null : idFromName(line.repo, provider));
  if (named !== null && isRepositoryId(named)) return named;
  throw new LonghaulError(
    'InvalidInput',
    `Line ${line.line} of the change stream: repo_id ${named === null ? 'is missing' : NOT_A_REPOSITORY_ID}.`,
  );
}

/** mgit's releases name a repository by its basename, its specification by org/project/repo. */
function idFromName(name: string, provider: string): string {
  return `${provider}/${name.includes('/') ? name : `stream/${name}`}`;
}

async function spooled(
  line: FileLine,
  maxFileBytes: number,
): Promise<SpooledChange | Extract<Change, { op: 'delete' }>> {
  const { op, file } = line;
  const path = { path: file.path, ...(file.pathBytes === undefined ? {} : { pathBytes: file.pathBytes }) };
  const old = line.old === null ? null : oldFile(line.old);
  const known = old === null ? {} : { old };
  if (op === 'delete') return { op, ...path, ...known };
  const content = await contentOf(line, maxFileBytes);
  checkHash(line, content);
  const blob = blobOf(line, content);
  const declared = line.handwritten ? { generated: false } : {};
  const skip =
    file.skip ??
    skipByPath(file.path, declared) ??
    (content === null || withinLimit(file.path, content, maxFileBytes) === null
      ? 'too-large'
      : skipByContent(file.path, content, declared));
  return {
    op,
    ...path,
    ...known,
    blob,
    size: line.size ?? content?.length ?? 0,
    ...(skip === null ? {} : { skip }),
    ...(line.language === null ? {} : { language: line.language }),
    ...(line.handwritten ? { handwritten: true } : {}),
    content: content === null || skip !== null ? null : Buffer.from(content).toString('base64'),
  };
}

/** The content, from where the line says it is; null when the file is skipped or too large. */
async function contentOf({ line, content, file }: FileLine, maxFileBytes: number): Promise<Uint8Array | null> {
  if (content.kind === 'bytes') return content.bytes;
  if (content.kind === 'file') {
    try {
      const found = await stat(content.path);
      if (!found.isFile()) throw new TypeError('not a regular file');
      return found.size > readLimit(file.path, maxFileBytes) ? null : await readFile(content.path);
    } catch (error) {
      throw new LonghaulError(
        'InvalidInput',
        `Line ${line} of the change stream: content_ref is not a readable file.`,
        {
          cause: error,
        },
      );
    }
  }
  if (file.skip !== null) return null;
  throw new LonghaulError(
    'InvalidInput',
    `Line ${line} of the change stream: ${JSON.stringify(file.path)} has no content, content_base64 or content_ref.`,
  );
}

function checkHash({ line, file, contentHash }: FileLine, content: Uint8Array | null): void {
  if (contentHash === null || content === null) return;
  const actual = sha256(content);
  if (actual === contentHash) return;
  throw new LonghaulError(
    'InvalidInput',
    `Line ${line} of the change stream: content_hash of ${JSON.stringify(file.path)} is ${contentHash}, its content has ${actual}.`,
  );
}

/** The blob's oid as git computes it, so that a stream and a fetch of the same file make the same objects. */
function blobOf({ line, file }: FileLine, content: Uint8Array | null): { oid: string; mode: string } {
  const mode = file.mode ?? MODE_FILE;
  if (content === null) return { oid: file.oid ?? NULL_OID, mode };
  const oid = blobOid(content, file.oid?.length === 64 ? 64 : 40);
  if (file.oid !== null && file.oid !== oid) {
    throw new LonghaulError('InvalidInput', `Line ${line} of the change stream: blob ${file.oid} has another content.`);
  }
  return { oid, mode };
}

/** Only a completely known side is used; otherwise the index is asked what it has at the path. */
function oldFile({ path, pathBytes, oid, mode, skip }: LineSide): OldFile | null {
  if (oid === null) return null;
  return {
    path,
    ...(pathBytes === undefined ? {} : { pathBytes }),
    oid,
    mode: mode ?? MODE_FILE,
    ...(skip === null ? {} : { skip }),
  };
}

function snapshotOf(line: Extract<ChangeLine, { kind: 'changeset' }>): Partial<Snapshot> {
  return {
    ...(line.commit === null ? {} : { commit: line.commit }),
    ...(line.tree === null ? {} : { tree: line.tree }),
    branch: line.branch,
    timestamp: line.timestamp,
  };
}

async function readEnd(blobs: BlobStore, repository: string, stream: string): Promise<End> {
  let first: Spooled | null = null;
  let last: Spooled | null = null;
  for await (const value of readSpooled(blobs, stream)) {
    first ??= value;
    last = value;
  }
  if (last !== null && 'end' in last && first !== null && 'repository' in first && first.repository === repository) {
    return last;
  }
  throw new LonghaulError('InvalidInput', `The content ${stream} is not a change stream of ${repository}.`);
}

async function* readChanges(blobs: BlobStore, stream: string): AsyncIterable<Change> {
  for await (const value of readSpooled(blobs, stream)) {
    if ('repository' in value || 'end' in value) continue;
    yield value.op === 'delete'
      ? value
      : { ...value, content: value.content === null ? null : Buffer.from(value.content, 'base64') };
  }
}

async function* readSpooled(blobs: BlobStore, stream: string): AsyncIterable<Spooled> {
  for await (const { text } of readLines(await blobs.open(stream))) yield JSON.parse(text) as Spooled;
}
