import type { BlobRef, FilePath } from '../../domain/git/change.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { filePath } from './file-path.ts';
import { complaintOf, type Git, type ObjectFormat, type ObjectStore } from '../git/git.ts';

/** One line of `git diff --raw`. */
export interface Entry {
  /** Added, deleted, modified, type changed, renamed without a change of content. */
  readonly status: 'A' | 'D' | 'M' | 'T' | 'R';
  readonly oldMode: string;
  readonly mode: string;
  readonly oldOid: string;
  readonly oid: string;
  readonly file: FilePath;
  /** The path before a rename. */
  readonly oldFile: FilePath | null;
}

/** Metadata of a commit. */
export interface CommitInfo {
  readonly tree: string;
  /** Committer date, ISO 8601. */
  readonly timestamp: string;
}

/** A commit and its differences from another. */
export interface CommitDifferences extends CommitInfo {
  readonly entries: readonly Entry[];
}

const EMPTY_TREES: Readonly<Record<ObjectFormat, string>> = {
  sha1: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  sha256: '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
};

/** Only exact renames: git detects them by object id, so no content is read or fetched. */
const RAW = ['diff-tree', '-r', '--raw', '-z', '--no-abbrev', '--no-ext-diff', '--no-textconv'];
const RENAMES = '-M100%';

/** Git's mode of a folder, as `git ls-tree` prints it. */
export const FOLDER = '040000';

/** One line of `git ls-tree`. */
export interface TreeEntry extends BlobRef {
  readonly file: FilePath;
}

/** More paths are not looked up one by one: git compares each with every entry. */
const MOST_PATHS = 500;
/** Linux accepts 131,072 bytes in one argument, and about two million in all. */
const LONGEST_PATHS = 100_000;

interface About {
  readonly about: string;
  readonly signal?: AbortSignal | undefined;
}

/** The empty tree. */
export function emptyTree(format: ObjectFormat): string {
  return EMPTY_TREES[format];
}

/** Git's null oid. */
export function nullOid(format: ObjectFormat): string {
  return '0'.repeat(format === 'sha1' ? 40 : 64);
}

/** True for git's null oid in either format. */
export function isNullOid(oid: string): boolean {
  return /^0+$/.test(oid);
}

/** The object format of a full oid; null for anything else. */
export function formatOf(oid: string): ObjectFormat | null {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(oid)) return null;
  return oid.length === 40 ? 'sha1' : 'sha256';
}

/** Compares two commits in the store, with one process. Throws `GitFailed` when one of them is missing. */
export async function compareCommits(
  git: Git,
  store: ObjectStore,
  from: string,
  to: string,
  options: About,
): Promise<CommitDifferences> {
  const format = '--format=%T %ct';
  const printed = await git.run([...RAW, RENAMES, '--stdin', '--always', format], {
    ...options,
    store,
    input: `${to} ${from}\n`,
  });
  const end = printed.indexOf(0);
  const [tree = '', seconds = ''] = printed.toString('latin1', 0, Math.max(end, 0)).split(' ');
  if (formatOf(tree) === null) throw new LonghaulError('GitFailed', `${options.about} has no commit ${to}.`);
  return { tree, timestamp: isoDate(seconds), entries: parseRaw(printed.subarray(end + 1)) };
}

/** Compares two trees or commits. */
export async function compareTrees(
  git: Git,
  store: ObjectStore,
  from: string,
  to: string,
  options: About,
): Promise<readonly Entry[]> {
  return parseRaw(await git.run([...RAW, RENAMES, from, to], { ...options, store }));
}

/** Every file of a commit, as if it were added. Git prints while it reads, so an endless list is detected early. */
export async function listCommit(
  git: Git,
  store: ObjectStore,
  commit: string,
  options: About,
): Promise<CommitDifferences> {
  const [info, listed] = await Promise.all([
    readCommit(git, store, commit, options),
    listTree(git, store, commit, options),
  ]);
  const added = { status: 'A', oldMode: '000000', oldOid: nullOid(store.format), oldFile: null } as const;
  const entries = listed.flatMap((entry) => (entry.mode === FOLDER ? [] : [{ ...added, ...entry }]));
  return { ...info, entries };
}

/** Every entry of a tree or commit, including folders, in git's order. */
export async function listTree(
  git: Git,
  store: ObjectStore,
  tree: string,
  options: About,
): Promise<readonly TreeEntry[]> {
  return parseTree(await git.run(['ls-tree', '-r', '-t', '-z', '--full-tree', tree], { ...options, store }));
}

/**
 * The entries of a tree or commit at these paths in the format of {@link FilePath.path}. It is what `listTree` shows:
 * git looks the paths up if they can be arguments, and lists the tree otherwise.
 */
export async function findInTree(
  git: Git,
  store: ObjectStore,
  tree: string,
  paths: readonly string[],
  options: About,
): Promise<readonly TreeEntry[]> {
  if (paths.length > MOST_PATHS || paths.join(' ').length > LONGEST_PATHS || !paths.every(isArgument)) {
    const wanted = new Set(paths);
    return (await listTree(git, store, tree, options)).filter(({ file }) => wanted.has(file.path));
  }
  const named = paths.map((path) => `:(literal)${path}`);
  return parseTree(await git.run(['ls-tree', '-z', '--full-tree', tree, ...named], { ...options, store }));
}

/**
 * True for a path that git takes as it is. Arguments are UTF-8, so the name of a path with other bytes, which is shown
 * with `\\x`, is compared instead. Git reads empty names, `.` and `..` as parts of the address.
 */
function isArgument(path: string): boolean {
  return !/\0|\\x|\p{Surrogate}/u.test(path) && !path.split('/').some((name) => /^\.{0,2}$/.test(name));
}

/** Tree and date of a commit. Throws `GitFailed` when it is not in the store. */
export async function readCommit(git: Git, store: ObjectStore, commit: string, options: About): Promise<CommitInfo> {
  const text = (await git.run(['cat-file', 'commit', commit], { ...options, store })).toString('latin1');
  const tree = /^tree ([0-9a-f]+)$/m.exec(text)?.[1];
  const seconds = /^committer .* (-?\d+) [+-]\d+$/m.exec(text)?.[1];
  if (tree === undefined) throw new LonghaulError('GitFailed', `The commit ${commit} of ${options.about} has no tree.`);
  return { tree, timestamp: isoDate(seconds ?? '0') };
}

/** True when the commit and its tree are in the store. */
export async function hasCommit(git: Git, store: ObjectStore, commit: string, options: About): Promise<boolean> {
  try {
    await git.run(['cat-file', '-e', `${commit}^{tree}`], { ...options, store });
    return true;
  } catch (error) {
    options.signal?.throwIfAborted();
    // anything else says nothing about the commit: git was killed, or could not be started
    if (complaintOf(error).includes('Not a valid object name')) return false;
    throw error;
  }
}

/** Parses `git ls-tree -z`. */
function parseTree(printed: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < printed.length;) {
    const tab = printed.indexOf(0x09, at);
    const end = printed.indexOf(0, tab);
    const [mode = '', , oid = ''] = printed.toString('latin1', at, tab).split(' ');
    entries.push({ mode, oid, file: filePath(printed.subarray(tab + 1, end)) });
    at = end + 1;
  }
  return entries;
}

/** Parses `git diff --raw -z`. */
function parseRaw(printed: Buffer): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  const field = (): Buffer => {
    const end = printed.indexOf(0, at);
    if (end < 0) throw new Error('git diff --raw ended in the middle of an entry');
    const bytes = printed.subarray(at, end);
    at = end + 1;
    return bytes;
  };
  while (at < printed.length) {
    const [oldMode = '', mode = '', oldOid = '', oid = '', score = ''] = field()
      .toString('latin1')
      .replace(/^\n?:/, '')
      .split(' ');
    const status = score.charAt(0);
    const first = filePath(field());
    if (!isStatus(status)) throw new Error(`git diff --raw has the unknown status ${JSON.stringify(score)}`);
    const moved = status === 'R';
    entries.push({
      status,
      oldMode,
      mode,
      oldOid,
      oid,
      file: moved ? filePath(field()) : first,
      oldFile: moved ? first : null,
    });
  }
  return entries;
}

function isStatus(status: string): status is Entry['status'] {
  return status.length === 1 && 'ADMTR'.includes(status);
}

/** Dates out of range, as in hostile commits, become the epoch. */
function isoDate(seconds: string): string {
  const date = new Date(Number(seconds) * 1_000);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
