import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import { parsePathFilter } from '../../../domain/git/path-filter.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { createSecretFinder } from '../../../domain/shared/known-secrets.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';

/** Files of a work tree as one blob: a tar archive. */
export interface ArchivedFiles {
  readonly digest: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly files: number;
}

/** Which files to archive. */
export interface ArchiveOptions {
  /** Absolute path of the work tree. No program may run in it any more. */
  readonly folder: string;
  /** Paths and patterns (docs/patterns.md); one that begins with `!` leaves files out. */
  readonly patterns: readonly string[];
  /** For errors: `artifacts`. */
  readonly about: string;
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** A file or a link in a work tree. */
export interface WrittenFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly isLink: boolean;
  readonly size: number;
  readonly isExecutable: boolean;
}

const MOST_FILES = 200_000;
const PIECE_BYTES = 65_536;

/**
 * The files and symbolic links of a work tree that patterns select, by path; those of `.git` are none. Links are not
 * followed: programs of others made them.
 */
export async function findFiles(folder: string, patterns: readonly string[]): Promise<WrittenFile[]> {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!')).map((pattern) => parsePathFilter(pattern));
  const unwanted = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => parsePathFilter(pattern.slice(1)));
  const found: WrittenFile[] = [];
  const visit = async (parent: string): Promise<void> => {
    for (const entry of await readdir(join(folder, parent), { withFileTypes: true })) {
      const path = posix.join(parent, entry.name);
      if (path === '.git') continue;
      if (entry.isDirectory()) await visit(path);
      if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      if (!wanted.some(({ matches }) => matches(path)) || unwanted.some(({ matches }) => matches(path))) continue;
      const { size, mode } = await lstat(join(folder, path));
      found.push({ path, isLink: entry.isSymbolicLink(), size, isExecutable: (mode & 0o111) !== 0 });
      if (found.length > MOST_FILES) throw tooMuch(`the patterns select more than ${MOST_FILES} files`);
    }
  };
  await visit('');
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A regular file that a program of others wrote. Its folders are no links; see {@link findFiles}. */
export function openFound(folder: string, { path }: WrittenFile) {
  return open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/**
 * Archives the selected files; null when there is none. Equal files give equal bytes. Throws `InvalidInput` when they are
 * too large, or one has a known secret in it.
 */
export async function archiveFiles(blobs: BlobStore, options: ArchiveOptions): Promise<ArchivedFiles | null> {
  const { folder, patterns, about, mostBytes, signal } = options;
  const found = await findFiles(folder, patterns);
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes) throw tooMuch(`${about} have ${bytes} bytes, more than the limit of ${mostBytes}`);
  if (found.length === 0) return null;
  const archive = pack();
  // its reader gets the error; without a listener it would end the process
  archive.on('error', () => undefined);
  const write = async (): Promise<void> => {
    for (const file of found) {
      signal.throwIfAborted();
      await add(archive, folder, file, about);
    }
    archive.finalize();
  };
  const [{ digest, size }] = await Promise.all([
    blobs.put(archive as AsyncIterable<Buffer>),
    write().catch((error: unknown) => {
      archive.destroy(error as Error);
      throw error;
    }),
  ]);
  return { digest, size, files: found.length };
}

type Archive = ReturnType<typeof pack>;

async function add(archive: Archive, folder: string, file: WrittenFile, about: string): Promise<void> {
  const header = { name: file.path, mtime: new Date(0), mode: file.isExecutable ? 0o755 : 0o644 };
  if (file.isLink) {
    const linkname = await readlink(join(folder, file.path));
    await new Promise<void>((resolve, reject) => {
      archive.entry({ ...header, type: 'symlink', linkname }, (error) => (error ? reject(error) : resolve()));
    });
    return;
  }
  const opened = await openFound(folder, file);
  try {
    await new Promise<void>((resolve, reject) => {
      const entry = archive.entry({ ...header, type: 'file', size: file.size }, (error) =>
        error ? reject(error) : resolve(),
      );
      entry.on('error', reject);
      feed(entry, opened, file, about).catch(reject);
    });
  } finally {
    await opened.close();
  }
}

/** Writes the bytes of a file that has no known secret. */
async function feed(
  entry: ReturnType<Archive['entry']>,
  opened: FileHandle,
  { path, size }: WrittenFile,
  about: string,
): Promise<void> {
  const finder = createSecretFinder();
  const decoder = new StringDecoder('utf8');
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await opened.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const piece = buffer.subarray(0, bytesRead);
    if (finder.push(decoder.write(piece))) {
      throw new LonghaulError('InvalidInput', `${about}: ${path} contains a secret, so nothing is kept.`);
    }
    if (!entry.write(piece)) await new Promise<void>((drained) => void entry.once('drain', drained));
  }
  entry.end(null);
}

function tooMuch(what: string): LonghaulError {
  return new LonghaulError('InvalidInput', `${what}.`);
}

/**
 * Writes the files of an archive into a folder in which no program runs. Existing files are replaced; nothing is written
 * through a link, or outside of the folder. Throws `InvalidInput` for an archive that would, `BlobNotFound`.
 */
export async function unpackFiles(blobs: BlobStore, digest: string, folder: string): Promise<void> {
  const archive = extract();
  archive.on('entry', (header, content, proceed) => {
    // the archive gets the error too; without a listener here it would end the process
    content.on('error', () => undefined);
    place(folder, header, content as AsyncIterable<Buffer>)
      .then(() => proceed())
      .catch((error: Error) => archive.destroy(error));
  });
  await pipeline(await blobs.open(digest), archive);
}

async function place(
  folder: string,
  { name, type, linkname, mode }: Header,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  const path = posix.normalize(name);
  const isInside = !posix.isAbsolute(path) && path !== '..' && !path.startsWith('../') && !/^\.git(\/|$)/.test(path);
  if (!isInside || (type !== 'file' && type !== 'symlink')) throw refused(name);
  let parent = folder;
  for (const segment of path.split('/').slice(0, -1)) {
    parent = join(parent, segment);
    const known = await lstat(parent).catch(() => null);
    if (known === null) await mkdir(parent);
    else if (!known.isDirectory()) throw refused(name);
  }
  const target = join(folder, path);
  await rm(target, { recursive: true, force: true });
  if (type === 'symlink') return symlink(linkname ?? '', target);
  const file = await open(target, 'wx', (mode ?? 0o644) & 0o777);
  try {
    for await (const piece of content) await file.write(piece);
  } finally {
    await file.close();
  }
}

function refused(name: string): LonghaulError {
  return new LonghaulError(
    'InvalidInput',
    `The archive has ${JSON.stringify(name)}, which does not belong in the checkout.`,
  );
}
