import { isUtf8 } from 'node:buffer';
import type { CommittedFile, Mgit } from '../../activities/mgit/index.ts';
import { addressOfReceipt } from '../../domain/catalog/index/plan.ts';
import { STREAM_URL } from '../../domain/catalog/index/plan.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { readableText } from '../../domain/git/notebook.ts';
import { skipByContent } from '../../domain/git/skip.ts';
import { decodeText } from '../../domain/git/text.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { nameShownAs, sanitizeLine, sanitizeName } from '../core/sanitize.ts';
import type { Library } from './library.ts';
import { nearest } from './nearest.ts';

/** The source of an answer about files. */
export type FileSource = 'git' | 'index';

/** A text file of a repository at its indexed commit. */
export interface RepositoryFile {
  /** The path in the repository, without the escapes of answers. */
  readonly path: string;
  readonly source: FileSource;
  /** With the line numbers of search results: {@link readableText}. */
  readonly text: string;
}

/** The paths of a repository at its indexed commit. */
export interface RepositoryPaths {
  readonly source: FileSource;
  /** Sorted. With the source `index` only the indexed ones. */
  readonly paths: readonly string[];
}

/**
 * The text of a file at the commit of a receipt, from git; when git fails, from the index, if that contains the whole
 * file. Throws `InvalidInput` for a path that is not a text file; for a missing path it suggests similar ones. Throws
 * git's error when the index does not contain the file either.
 */
export async function readRepositoryFile(
  library: Library,
  receipt: Receipt,
  asked: string,
  signal: AbortSignal,
): Promise<RepositoryFile> {
  // answers escape control characters in names
  const path = nameShownAs(asked);
  const fromGit = await askGit(library, receipt, signal, (mgit) =>
    mgit.readFile(addressOfReceipt(receipt), receipt.commit, path, { signal }),
  );
  if (fromGit.kind === 'answer' && fromGit.answer !== null) {
    return { path, source: 'git', text: textOf(receipt, path, fromGit.answer) };
  }
  if (fromGit.kind === 'failure') {
    const text = await fromIndex(library, receipt, path, signal);
    if (text !== null) return { path, source: 'index', text };
    if (fromGit.failure !== null) throw fromGit.failure;
  }
  const { paths, source } = await listRepositoryPaths(library, receipt, signal);
  throw noSuchPath(receipt, path, paths, source);
}

/** The paths at the commit of a receipt, from git; when git fails, the indexed ones. */
export async function listRepositoryPaths(
  library: Library,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<RepositoryPaths> {
  const fromGit = await askGit(library, receipt, signal, (mgit) =>
    mgit.listFiles(addressOfReceipt(receipt), receipt.commit, { signal }),
  );
  if (fromGit.kind === 'answer') {
    return { source: 'git', paths: fromGit.answer.map(({ path }) => path).sort() };
  }
  refuseUnfinished(receipt);
  return { source: 'index', paths: await library.index((index) => index.paths(receipt), signal) };
}

type FromGit<Result> =
  | { readonly kind: 'answer'; readonly answer: Result }
  /** Null for a repository that is not in git. */
  | { readonly kind: 'failure'; readonly failure: LonghaulError | null };

async function askGit<Result>(
  library: Library,
  { cloneUrl, commit, objects }: Receipt,
  signal: AbortSignal,
  question: (mgit: Mgit) => Promise<Result>,
): Promise<FromGit<Result>> {
  const isStream = cloneUrl.startsWith(STREAM_URL) || (/^0+$/.test(commit) && objects > 0);
  if (isStream) return { kind: 'failure', failure: null };
  try {
    return { kind: 'answer', answer: await library.mgit(question, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LonghaulError) return { kind: 'failure', failure: error };
    throw error;
  }
}

async function fromIndex(
  library: Library,
  receipt: Receipt,
  path: string,
  signal: AbortSignal,
): Promise<string | null> {
  refuseUnfinished(receipt);
  return library.index((index) => index.file(receipt, path), signal);
}

/** While a run changes a repository its chunks are of two commits: throws `InvalidInput`. */
function refuseUnfinished({ repository, pending }: Receipt): void {
  if (pending === null) return;
  throw new LonghaulError(
    'InvalidInput',
    `${repository} cannot be read from git, and its index is being changed: try again when that run has ended.`,
  );
}

function textOf({ repository, commit }: Receipt, path: string, { mode, size, content }: CommittedFile): string {
  const name = `${sanitizeName(path)} of ${repository}`;
  const refuse = (why: string): never => {
    throw new LonghaulError('InvalidInput', `${name} ${why}`);
  };
  if (mode === '040000')
    return refuse(`is a folder: list_files with path_glob ${JSON.stringify(`${path}/**`)} lists it.`);
  if (mode === '160000') return refuse('is a submodule: its files belong to another repository.');
  if (content === null) return refuse(`is too large: ${size} bytes (index.maxFileBytes in longhaul.yaml).`);
  if (mode === '120000') {
    const target = isUtf8(content) ? decodeText(content) : '';
    return refuse(
      `is a symbolic link to ${JSON.stringify(sanitizeLine(target.slice(0, 500)))}. Its target is not read.`,
    );
  }
  if (skipByContent(path, content) === 'binary') {
    return refuse(`is binary (${size} bytes, commit ${commit}): only text files can be read.`);
  }
  return readableText(path, content).text;
}

function noSuchPath(
  { repository, commit }: Receipt,
  path: string,
  paths: readonly string[],
  source: FileSource,
): LonghaulError {
  const near = nearest(path, paths).map((name) => sanitizeName(name).slice(0, 300));
  const hint = near.length === 0 ? 'list_files lists the paths.' : `Did you mean ${near.join(' or ')}?`;
  const asked = JSON.stringify(sanitizeLine(path.slice(0, 300)));
  if (source === 'index') {
    return new LonghaulError(
      'InvalidInput',
      `${repository} cannot be read from git, and its index does not contain all of ${asked}. ${hint}`,
    );
  }
  const form = /^[/~]|(^|\/)\.{1,2}(\/|$)|\\/.test(path)
    ? ' Paths are relative to the root of the repository, separated by /.'
    : '';
  return new LonghaulError(
    'InvalidInput',
    `${repository} has no file ${asked} at its indexed commit ${commit}.${form} ${hint}`,
  );
}
