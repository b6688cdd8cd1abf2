import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { hasCode } from '../../../platform/error-code.ts';
import type { Git } from '../../git/git.ts';
import { findLayout, readObjectFormat } from '../../mgit/layout.ts';

/** A file of the index whose path is not valid UTF-8 has its replacement characters in `path`, and `isText` is false. */
export interface TrackedFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly isText: boolean;
}

/** What tracked files are read with. */
export interface TrackedOptions {
  readonly git: Git;
  /** Ends git, and the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes; the index of the largest known repositories, with some millions of files. */
const LARGEST_INDEX = 1_000_000_000;
/** Bits of an entry's flags: an extended entry has two more bytes, among them the mark of a sparse checkout. */
const EXTENDED = 0x40_00;
const SKIP_WORKTREE = 0x40_00;

/**
 * The files that git tracks in the work tree at `folder` and that `isWanted` accepts by their last name, in the order
 * of git. Reads the index itself, which takes no process (gitformat-index(5)); only one that is split or sparse is
 * listed by git. Files that a sparse checkout leaves out are not listed. Empty for a bare repository, null where there is
 * none.
 *
 * Throws `SourceUnreadable` when the index is damaged.
 */
export async function trackedFiles(
  folder: string,
  isWanted: (name: string) => boolean,
  { git, signal }: TrackedOptions,
): Promise<readonly TrackedFile[] | null> {
  const layout = await findLayout(folder);
  if (layout === null) return null;
  if (layout.gitDir === folder) return [];
  const index = await readIndex(join(layout.gitDir, 'index'), folder);
  if (index === null) return [];
  const paths = pathsIn(index, (await readObjectFormat(layout.commonDir)) === 'sha1' ? 20 : 32, isWanted, folder);
  if (paths !== null) return paths;
  const printed = await git.run(['ls-files', '-z', '-t', '--cached'], {
    about: folder,
    gitDir: layout.gitDir,
    workTree: folder,
    // a program that the repository's own configuration may name
    config: [['core.fsmonitor', 'false']],
    signal,
  });
  return listed(printed, isWanted);
}

async function readIndex(file: string, folder: string): Promise<Buffer | null> {
  try {
    const { size } = await stat(file);
    if (size <= LARGEST_INDEX) return await readFile(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw new LonghaulError('SourceUnreadable', `The index of ${folder} cannot be read.`, { cause: error });
  }
  throw new LonghaulError('SourceUnreadable', `The index of ${folder} is larger than ${LARGEST_INDEX} bytes.`);
}

/** Null when the entries alone do not tell: the index is split or sparse. */
function pathsIn(
  index: Buffer,
  oidBytes: number,
  isWanted: (name: string) => boolean,
  folder: string,
): TrackedFile[] | null {
  const damaged = (why: string): LonghaulError =>
    new LonghaulError('SourceUnreadable', `The index of ${folder} is damaged: ${why}.`);
  if (index.length < 12 + oidBytes || index.toString('latin1', 0, 4) !== 'DIRC') throw damaged('it has no header');
  const version = index.readUInt32BE(4);
  if (version < 2 || version > 4) throw damaged(`it has the unknown version ${version}`);
  const end = index.length - oidBytes;
  const found: TrackedFile[] = [];
  let at = 12;
  let name: Buffer = Buffer.alloc(0);
  let before: Buffer = name;
  for (let left = index.readUInt32BE(8); left > 0; left--) {
    const entry = at;
    const flagsAt = entry + 40 + oidBytes;
    if (flagsAt + 5 > end) throw damaged('it ends within an entry');
    const isExtended = (index.readUInt16BE(flagsAt) & EXTENDED) !== 0;
    const isLeftOut = isExtended && (index.readUInt16BE(flagsAt + 2) & SKIP_WORKTREE) !== 0;
    at = flagsAt + (isExtended ? 4 : 2);
    if (version === 4) {
      const { value, next } = offsetAt(index, at);
      if (value > name.length) throw damaged('a name is shorter than its prefix');
      const zero = index.indexOf(0, next);
      if (zero < 0 || zero >= end) throw damaged('a name does not end');
      name = Buffer.concat([name.subarray(0, name.length - value), index.subarray(next, zero)]);
      at = zero + 1;
    } else {
      const zero = index.indexOf(0, at);
      if (zero < 0 || zero >= end) throw damaged('a name does not end');
      name = index.subarray(at, zero);
      // one to eight zeros, so that the next entry begins at a multiple of eight
      at = entry + Math.ceil((zero - entry + 1) / 8) * 8;
    }
    // a conflict has the same name in up to three stages
    if (!isLeftOut && !before.equals(name)) {
      const file = wanted(name, isWanted);
      if (file !== null) found.push(file);
    }
    before = name;
  }
  while (at + 8 <= end) {
    const extension = index.toString('latin1', at, at + 4);
    if (extension === 'link' || extension === 'sdir') return null;
    at += 8 + index.readUInt32BE(at + 4);
  }
  return found;
}

/** The variable-length number before a name of version 4, as in the offsets of a pack. */
function offsetAt(index: Buffer, start: number): { value: number; next: number } {
  let at = start;
  let byte = index[at++] ?? 0;
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0 && value < LARGEST_INDEX) {
    byte = index[at++] ?? 0;
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, next: at };
}

function listed(printed: Buffer, isWanted: (name: string) => boolean): TrackedFile[] {
  const found = new Map<string, TrackedFile>();
  for (let at = 0, zero = 0; at < printed.length; at = zero + 1) {
    zero = printed.indexOf(0, at);
    const file = wanted(printed.subarray(at + 2, zero), isWanted);
    // S: left out by a sparse checkout
    if (file !== null && printed[at] !== 0x53) found.set(file.path, file);
  }
  return [...found.values()];
}

function wanted(name: Buffer, isWanted: (name: string) => boolean): TrackedFile | null {
  if (!isWanted(name.toString('latin1', name.lastIndexOf(0x2f) + 1))) return null;
  const path = name.toString('utf8');
  return { path, isText: Buffer.from(path).equals(name) };
}
