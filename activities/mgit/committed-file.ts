import type { BlobRef, FilePath } from '../../domain/git/change.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type GitObject, type ObjectReader, openObjectReader } from '../git/cat-file.ts';
import { formatOf, hasCommit, isNullOid, listCommit } from './diff.ts';
import type { Git } from '../git/git.ts';
import { withSource } from './resolve-remote.ts';
import type { Access, Source } from './source.ts';
import { FOLDER, parseTree } from './tree.ts';

/** What a commit has at a path. The mode is git's, including 40000 for a folder and 160000 for a submodule. */
export interface CommittedFile extends BlobRef {
  /** Size of the content in bytes; 0 for a folder or submodule. */
  readonly size: number;
  /** Null for a folder or submodule, and when it is larger than `maxFileBytes`. */
  readonly content: Uint8Array | null;
}

/** Tools for reading commits. */
export interface CommitTools {
  readonly git: Git;
  readonly cacheDir: string;
  /** The content of larger files is not read. */
  readonly maxFileBytes: number;
}

const LARGEST_COMMIT = 10_000_000;
const LARGEST_TREE = 50_000_000;

/**
 * What a commit has at a path in the format of {@link FilePath.path}; null when there is nothing. Follows object ids
 * only, so nothing outside the commit can be reached. Throws `InvalidInput` when the repository does not have the
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
    const reader = await openObjectReader(tools.git, source.store, { about: access.id, signal: access.signal });
    try {
      const tree = await treeOf(reader, access, commit);
      const entry = await entryAt(reader, access, tree, path);
      if (entry === null || !entry.mode.startsWith('1') || entry.mode === '160000') {
        return entry && { ...entry, size: 0, content: null };
      }
      const isMissing = async (): Promise<boolean> => (await reader.missing([entry.oid])).length > 0;
      if ((await isMissing()) && !(await source.fetchBlobs([entry.oid]))) {
        await source.fetchWhole();
        if (await isMissing()) {
          throw new LonghaulError(
            'InvalidInput',
            `The repository of ${access.id} does not have the content of ${path}.`,
          );
        }
      }
      const { size, content } = await objectOf(reader, access, entry.oid, tools.maxFileBytes);
      return { ...entry, size, content };
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
    const { entries } = await listCommit(tools.git, store, commit, { about: access.id, signal: access.signal });
    return entries.map(({ file, mode, oid }) => ({ ...file, mode, oid }));
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

async function treeOf(reader: ObjectReader, access: Access, commit: string): Promise<string> {
  const { content } = await objectOf(reader, access, commit, LARGEST_COMMIT);
  return /^tree ([0-9a-f]+)\n/.exec(Buffer.from(content ?? []).toString('latin1'))?.[1] ?? refuse(commit, access.id);
}

async function entryAt(reader: ObjectReader, access: Access, tree: string, path: string): Promise<BlobRef | null> {
  let at: BlobRef = { oid: tree, mode: FOLDER };
  for (const name of path.split('/')) {
    if (at.mode !== FOLDER) return null;
    const { content } = await objectOf(reader, access, at.oid, LARGEST_TREE);
    const named = [...parseTree(content ?? new Uint8Array(), tree.length / 2)].filter((entry) => entry.name === name);
    const found = named.find(({ isText }) => isText) ?? named[0];
    if (found === undefined) return null;
    at = { oid: found.oid, mode: found.mode };
  }
  return at;
}

async function objectOf(reader: ObjectReader, { id }: Access, oid: string, maxBytes: number): Promise<GitObject> {
  for await (const object of reader.read([oid], maxBytes)) {
    if (object.type !== null) return object;
  }
  throw new LonghaulError('GitFailed', `${id} does not have the object ${oid}: the repository is incomplete.`);
}

function refuse(commit: string, about: string): never {
  throw new LonghaulError('InvalidInput', `The repository of ${about} does not have the commit ${commit}.`);
}
