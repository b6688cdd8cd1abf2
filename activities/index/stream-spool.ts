import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Change, FileWritten, OldFile } from '../../domain/catalog/change.ts';
import { type ChangeLine, type FileLine, type LineSide, parseChangeLine } from '../../domain/catalog/change-line.ts';
import type { Receipt, Snapshot } from '../../domain/catalog/receipt.ts';
import { isRepositoryId, NOT_A_REPOSITORY_ID } from '../../domain/catalog/repository.ts';
import { skipByContent, skipByPath } from '../../domain/catalog/skip.ts';
import { LonghaulError } from '../../domain/failures.ts';
import { sha256 } from './digest.ts';
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
  /**
   * A kept stream as a source of changes. Throws `InvalidInput` when it does not begin where the index is, or when an earlier
   * run to somewhere else was not finished: nobody can tell which of that run's changes the index has.
   */
  open(repository: string, stream: string, previous: Receipt | null): Promise<ChangeSource>;
  /** Forgets a stream that was ingested. */
  discard(repository: string, stream: string): Promise<void>;
  /** Forgets all streams of a repository. */
  forget(repository: string): Promise<void>;
}

/** The last line of a spooled file. */
interface End {
  readonly end: true;
  readonly parent: string | null;
  /** The stream lists everything: what it does not name is gone. */
  readonly fromNothing: boolean;
  readonly to: Partial<Snapshot> | null;
}

type SpooledChange = Omit<FileWritten, 'content'> & { readonly content: string | null };

const NULL_OID = '0'.repeat(40);
const MODE_FILE = '100644';

/** A spool in this folder. `maxFileBytes`: larger contents are skipped as `too-large`. */
export function createStreamSpool(folder: string, maxFileBytes: number): StreamSpool {
  // a repository's streams are in one folder, so that they can be forgotten with it
  const folderOf = (repository: string): string => join(folder, sha256(repository).slice(0, 32));
  const fileOf = (repository: string, stream: string): string => join(folderOf(repository), `${stream}.jsonl`);
  return {
    async put(input, provider) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeLeftovers(folder);
      const parts = new Map<string, Part>();
      try {
        await readLines(input, async (line) => {
          const repository = repositoryOf(line, provider);
          let part = parts.get(repository);
          if (part === undefined) parts.set(repository, (part = await openPart(folder)));
          if (line.kind === 'file') await part.write(await spooled(line, maxFileBytes));
          else part.end = { end: true, parent: line.parent, fromNothing: line.fromNothing, to: snapshotOf(line) };
        });
        const kept: SpooledStream[] = [];
        for (const [repository, part] of parts) {
          await mkdir(folderOf(repository), { recursive: true, mode: 0o700 });
          kept.push({ repository, stream: await part.keep((stream) => fileOf(repository, stream)) });
        }
        return kept;
      } finally {
        for (const part of parts.values()) await part.discard();
      }
    },
    async open(repository, stream, previous) {
      const file = fileOf(repository, stream);
      const { parent, fromNothing, to } = await readEnd(file);
      const at = previous !== null && previous.commit !== '' ? previous.commit : null;
      // a stream that was ingested already may be again: its objects are the same
      if (parent !== null && parent !== at && (at === null || to?.commit !== at)) {
        throw new LonghaulError(
          'InvalidInput',
          `The stream begins at commit ${parent}, the index is at ${at ?? 'nothing'}: give a stream since that commit.`,
        );
      }
      const commit = to?.commit ?? at ?? NULL_OID;
      const unfinished = previous?.pending ?? null;
      if (unfinished !== null && !fromNothing && commit !== unfinished.commit) {
        throw new LonghaulError(
          'InvalidInput',
          `A run that takes ${repository} to commit ${unfinished.commit} was not finished, and the stream leads to ${commit}: ` +
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
        changes: () => readChanges(file),
        readOld: null,
      };
    },
    discard: (repository, stream) => rm(fileOf(repository, stream), { force: true }),
    forget: (repository) => rm(folderOf(repository), { recursive: true, force: true }),
  };
}

/** A repository's file while it is written. */
interface Part {
  end: End;
  write(change: SpooledChange | Extract<Change, { op: 'delete' }>): Promise<void>;
  /** Gives the file its final name, which is its digest. */
  keep(fileOf: (stream: string) => string): Promise<string>;
  discard(): Promise<void>;
}

async function openPart(folder: string): Promise<Part> {
  const temporary = join(folder, `.${hostname()}.${process.pid}.${randomUUID()}.partial`);
  const file: FileHandle = await open(temporary, 'wx', 0o600);
  const hash = createHash('sha256');
  const append = async (value: unknown): Promise<void> => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    await file.write(line);
  };
  const part: Part = {
    end: { end: true, parent: null, fromNothing: false, to: null },
    write: append,
    async keep(fileOf) {
      await append(part.end);
      await file.sync();
      await file.close();
      const stream = hash.digest('hex');
      await rename(temporary, fileOf(stream));
      return stream;
    },
    async discard() {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
    },
  };
  return part;
}

/** Removes what processes of this machine left half written when they ended. */
async function removeLeftovers(folder: string): Promise<void> {
  const ours = `.${hostname()}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(ours) || !name.endsWith('.partial')) continue;
    if (!isAlive(Number.parseInt(name.slice(ours.length), 10))) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readLines(input: Readable, use: (line: ChangeLine) => Promise<void>): Promise<void> {
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = parseChangeLine(text, ++number);
    if (line !== null) await use(line);
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
  const blob = blobOf(line, content);
  const tooLarge = content !== null && content.length > maxFileBytes;
  const skip =
    file.skip ??
    skipByPath(file.path) ??
    (tooLarge ? 'too-large' : content === null ? 'too-large' : skipByContent(file.path, content));
  return {
    op,
    ...path,
    ...known,
    blob,
    size: line.size ?? content?.length ?? 0,
    ...(skip === null ? {} : { skip }),
    content: content === null || skip !== null ? null : Buffer.from(content).toString('base64'),
  };
}

/** The content, wherever the line says it is; null when the file is skipped or too large to be read. */
async function contentOf({ line, content, file }: FileLine, maxFileBytes: number): Promise<Uint8Array | null> {
  if (content.kind === 'bytes') return content.bytes;
  if (content.kind === 'file') {
    try {
      const found = await stat(content.path);
      if (!found.isFile()) throw new TypeError('not a regular file');
      return found.size > maxFileBytes ? null : await readFile(content.path);
    } catch (error) {
      throw new LonghaulError(
        'InvalidInput',
        `Line ${line} of the change stream: content_ref is no file that can be read.`,
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

/** The blob's oid as git computes it, so that a stream and a fetch of the same file make the same objects. */
function blobOf({ line, file }: FileLine, content: Uint8Array | null): { oid: string; mode: string } {
  const mode = file.mode ?? MODE_FILE;
  if (content === null) return { oid: file.oid ?? NULL_OID, mode };
  const algorithm = file.oid?.length === 64 ? 'sha256' : 'sha1';
  const oid = createHash(algorithm).update(`blob ${content.length}\0`).update(content).digest('hex');
  if (file.oid !== null && file.oid !== oid) {
    throw new LonghaulError('InvalidInput', `Line ${line} of the change stream: blob ${file.oid} has another content.`);
  }
  return { oid, mode };
}

/** Only a side that is known completely is worth anything: else the index is asked what it has at the path. */
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

async function readEnd(file: string): Promise<End> {
  let last: End | null = null;
  for await (const value of readSpooled(file)) if ('end' in value) last = value;
  if (last === null) {
    throw new LonghaulError(
      'InvalidInput',
      `${file} is not a whole change stream: give it to \`longhaul index stdin\` again.`,
    );
  }
  return last;
}

async function* readChanges(file: string): AsyncIterable<Change> {
  for await (const value of readSpooled(file)) {
    if ('end' in value) return;
    yield value.op === 'delete'
      ? value
      : { ...value, content: value.content === null ? null : Buffer.from(value.content, 'base64') };
  }
}

async function* readSpooled(file: string): AsyncIterable<End | SpooledChange | Extract<Change, { op: 'delete' }>> {
  const input = createReadStream(file);
  for await (const line of createInterface({ input })) {
    yield JSON.parse(line) as End | SpooledChange | Extract<Change, { op: 'delete' }>;
  }
}
