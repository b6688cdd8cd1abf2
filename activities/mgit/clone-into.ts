import { constants, copyFile, link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isBranchName } from '../../domain/git/branch.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import type { GitOptions, ObjectFormat, ObjectStore } from '../git/git.ts';
import { fetchMissing } from './commit-pack.ts';
import { atCommit, type CommitTools } from './committed-file.ts';
import { formatOf } from './diff.ts';
import { withSource } from './resolve-remote.ts';
import type { Access, Source } from './source.ts';

/** A ref of a clone with a detached HEAD: the commit that it was made at, which the remote had. */
export const CLONED_REF = 'refs/longhaul/cloned';

/** What is done to make a clone, in this order. */
export type CloneStep = 'fetch' | 'link packs' | 'check out';

/** A clone to make. */
export interface NewClone {
  /** Oid of the commit that is checked out. */
  readonly commit: string;
  /** The local branch that is made at the commit, and checked out; null for a detached HEAD. */
  readonly branch: string | null;
  /**
   * The branch of the remote that had the commit when it was looked up; null for none. A local branch of the same name
   * tracks it.
   */
  readonly from: string | null;
  /** True when `from` is the default branch of the remote. */
  readonly isFromDefault: boolean;
}

/**
 * Makes a clone of a repository in `folder`, which must not exist, with its history, a checkout, and the real remote
 * `origin`, so that the user's git works in it, and nothing in it needs the cache of this machine. Packs are hard links
 * of those in the cache; git never changes a pack, it writes new ones. Contents of other commits than this are fetched by
 * git when they are needed (gitformat-promisor, partial clone), as from a server they always can be. Uses no network when
 * the mirror has the commit with its contents. No hook, filter or other program of a configuration runs: files of Git LFS
 * are checked out as their pointers.
 *
 * What a failed call has made stays: the caller made `folder` aside, and removes it. Throws `InvalidInput` when the
 * repository does not have the commit, and for names that are none of branches.
 */
export async function cloneInto(
  tools: CommitTools,
  access: Access,
  clone: NewClone,
  folder: string,
  onStep?: (step: CloneStep) => void,
): Promise<void> {
  const { git } = tools;
  const { id: about, remote, signal } = access;
  const { commit, branch, from, isFromDefault } = clone;
  for (const name of [branch, from]) {
    // it becomes a part of paths and of a configuration
    if (name !== null && !isBranchName(name))
      throw new LonghaulError('InvalidInput', `${JSON.stringify(name)} is not a name of a branch.`);
  }
  const make = async ({ store }: Source): Promise<void> => {
    const gitDir = join(folder, '.git');
    await mkdir(folder);
    await mkdir(join(gitDir, 'refs', 'heads'), { recursive: true });
    const writeConfig = (isPartial: boolean): Promise<void> =>
      writeFile(join(gitDir, 'config'), configuration(store.format, { ...clone, url: remote.url, isPartial }));
    // a git before 2.44 would fetch by itself what is missing, without our account and its budget
    await writeConfig(false);
    await writeFile(join(gitDir, 'HEAD'), branch === null ? `${commit}\n` : `ref: refs/heads/${branch}\n`);
    const refs = [
      ...(branch === null ? [] : [`${commit} refs/heads/${branch}`]),
      // what says later that the commit came from the remote
      `${commit} ${from === null ? CLONED_REF : `refs/remotes/origin/${from}`}`,
    ];
    await writeFile(join(gitDir, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${refs.join('\n')}\n`);
    if (from !== null && isFromDefault) {
      await mkdir(join(gitDir, 'refs', 'remotes', 'origin'), { recursive: true });
      await writeFile(join(gitDir, 'refs', 'remotes', 'origin', 'HEAD'), `ref: refs/remotes/origin/${from}\n`);
    }
    await copyIfThere(join(dirname(store.objects), 'shallow'), join(gitDir, 'shallow'));
    onStep?.('link packs');
    await linkObjects(store, join(gitDir, 'objects'), signal);
    const checkout: GitOptions = { about, signal, gitDir, workTree: folder, indexFile: join(gitDir, 'index') };
    onStep?.('check out');
    await git.run(['read-tree', '--reset', '-u', commit], checkout);
    if (remote.path === null) await writeConfig(true);
  };
  const format = formatOf(commit);
  // what is asked first costs two more gits, for each repository: nearly always everything is there
  const isMade =
    format !== null &&
    (await withSource(git, tools.cacheDir, access, format, async (source) => {
      if (source.isBlank) return false;
      try {
        await make(source);
        return true;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof LonghaulError)) throw error;
        await rm(folder, { recursive: true, force: true });
        return false;
      }
    }));
  if (isMade) return;
  onStep?.('fetch');
  await atCommit(tools, access, commit, async (source) => {
    await fetchMissing(git, source, commit, { about, signal, store: source.store });
    await make(source);
  });
}

/** The configuration of the clone (git-config). */
function configuration(
  format: ObjectFormat,
  { url, branch, from, isPartial }: NewClone & { readonly url: string; readonly isPartial: boolean },
): string {
  const needsExtensions = isPartial || format === 'sha256';
  return [
    '[core]',
    `\trepositoryformatversion = ${needsExtensions ? 1 : 0}`,
    '\tfilemode = true',
    '\tbare = false',
    '\tlogallrefupdates = true',
    ...(needsExtensions ? ['[extensions]'] : []),
    ...(isPartial ? ['\tpartialClone = origin'] : []),
    ...(format === 'sha256' ? ['\tobjectFormat = sha256'] : []),
    '[remote "origin"]',
    `\turl = ${quoted(url)}`,
    '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    ...(isPartial ? ['\tpromisor = true', '\tpartialclonefilter = blob:none'] : []),
    ...(branch !== null && branch === from
      ? [`[branch ${quoted(branch)}]`, '\tremote = origin', `\tmerge = ${quoted(`refs/heads/${branch}`)}`]
      : []),
    '',
  ].join('\n');
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Files of an object store that git is still writing, or that name other stores. */
const NOT_LINKED = /^(?:tmp_.*|.*\.lock|alternates|http-alternates)$/;

/** Links all objects of a store, and of the stores that it names (gitrepository-layout, `info/alternates`). */
async function linkObjects({ objects }: Pick<ObjectStore, 'objects'>, to: string, signal?: AbortSignal): Promise<void> {
  const stores = [objects];
  for (const store of stores) {
    const named = await readFile(join(store, 'info', 'alternates'), 'utf8').catch(() => '');
    for (const line of named.split('\n')) {
      const other = resolve(store, line);
      if (line !== '' && !line.startsWith('#') && !stores.includes(other)) stores.push(other);
    }
    await linkTree(store, to, signal);
  }
}

/** Packs may be joined into a new one meanwhile, which git writes before it deletes them: it looks until nothing is new. */
async function linkTree(from: string, to: string, signal?: AbortSignal): Promise<void> {
  await mkdir(to, { recursive: true });
  const done = new Set<string>();
  for (;;) {
    signal?.throwIfAborted();
    const entries = await readdir(from, { withFileTypes: true });
    const fresh = entries.filter(({ name }) => !done.has(name) && !NOT_LINKED.test(name));
    if (fresh.length === 0) return;
    for (const entry of fresh) {
      done.add(entry.name);
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) await linkTree(source, target, signal);
      else if (entry.isFile()) await linkFile(source, target);
    }
  }
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // it was joined into another pack, or two stores have the same one
    if (hasCode(error, 'ENOENT', 'EEXIST')) return;
    // another file system, or a file of another user (proc(5), protected_hardlinks)
    if (!hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'EACCES')) throw error;
    await copyIfThere(from, to);
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
  });
}
