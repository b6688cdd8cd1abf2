import type { BlobRef, FilePath } from '../../domain/git/change.ts';
import { readLimit, withinLimit } from '../../domain/git/notebook.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { openObjectReader } from '../git/cat-file.ts';
import { findInTree, FOLDER, formatOf, hasCommit, isNullOid, listTree } from './diff.ts';
import type { Git } from '../git/git.ts';
import { withSource } from './resolve-remote.ts';
import type { Access, Source } from './source.ts';

/** What a commit has at a path. The mode is git's, including 040000 for a folder and 160000 for a submodule. */
export interface CommittedFile extends BlobRef {
  /** Size of the content in bytes; 0 for a folder or submodule. */
  readonly size: number;
  /** Null for a folder or submodule, and when it is larger than `maxFileBytes`, as {@link withinLimit} counts. */
  readonly content: Uint8Array | null;
}

/** Tools for reading commits. */
export interface CommitTools {
  readonly git: Git;
  readonly cacheDir: string;
  /** The content of larger files is not read. */
  readonly maxFileBytes: number;
}

/**
 * What a commit has at a path in the format of {@link FilePath.path}; null when there is nothing. Throws `InvalidInput` when the repository does not have the
 * commit or the content.
 */
export async function readCommittedFile(
  tools: CommitTools,
  access: Access,
  commit: string,
  path: string,
): Promise<CommittedFile | null> {
  if (isNullOid(commit)) return null;
  return atCommit(tools, access, commit, async (source) => {
    const about = { about: access.id, signal: access.signal };
    const found = await findInTree(tools.git, source.store, commit, [path], about);
    const entry = found.find(({ file }) => file.pathBytes === undefined) ?? found[0];
    if (entry === undefined) return null;
    const { mode, oid } = entry;
    if (mode === FOLDER || mode === '160000') return { mode, oid, size: 0, content: null };
    const reader = await openObjectReader(tools.git, source.store, about);
    try {
      const isMissing = async (): Promise<boolean> => (await reader.missing([oid])).length > 0;
      if ((await isMissing()) && !(await source.fetchBlobs([oid]))) {
        await source.fetchWhole();
        if (await isMissing()) {
          throw new LonghaulError(
            'InvalidInput',
            `The repository of ${access.id} does not have the content of ${path}.`,
          );
        }
      }
      const { maxFileBytes } = tools;
      for await (const { type, size, content } of reader.read([{ oid, maxBytes: readLimit(path, maxFileBytes) }])) {
        if (type !== null) return { mode, oid, size, content: withinLimit(path, content, maxFileBytes) };
      }
      throw new LonghaulError(
        'GitFailed',
        `${access.id} does not have the object ${oid}: the repository is incomplete.`,
      );
    } finally {
      reader.close();
    }
  });
}

/**
 * Every file of a commit, including submodules, in git's order. Throws `InvalidInput` when the repository does not have
 * it.
 */
export async function listCommittedFiles(
  tools: CommitTools,
  access: Access,
  commit: string,
): Promise<readonly (FilePath & BlobRef)[]> {
  if (isNullOid(commit)) return [];
  return atCommit(tools, access, commit, async ({ store }) => {
    const entries = await listTree(tools.git, store, commit, { about: access.id, signal: access.signal });
    return entries.flatMap(({ file, mode, oid }) => (mode === FOLDER ? [] : [{ ...file, mode, oid }]));
  });
}

/** Runs a callback with the objects of a repository; fetches the commit first if it is missing. */
export async function atCommit<Result>(
  { git, cacheDir }: CommitTools,
  access: Access,
  commit: string,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  const { id: about, signal } = access;
  const format = formatOf(commit) ?? refuse(commit, about);
  return withSource(git, cacheDir, access, format, async (source) => {
    const isHere = async (): Promise<boolean> => hasCommit(git, source.store, commit, { about, signal });
    if (!(await isHere()) && !((await source.fetchCommit(commit)) && (await isHere()))) refuse(commit, about);
    return work(source);
  });
}

function refuse(commit: string, about: string): never {
  throw new LonghaulError('InvalidInput', `The repository of ${about} does not have the commit ${commit}.`);
}
