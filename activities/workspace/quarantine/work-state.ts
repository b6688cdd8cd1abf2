import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { QuarantineEntry } from '../../../domain/workspace/quarantine.schema.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { sha256, sha256OfFile } from '../../../platform/sha256.ts';
import type { Git, GitOptions } from '../../git/git.ts';
import { CLONED_REF } from '../../mgit/clone-into.ts';
import { nestedRepositories } from '../nested-repositories.ts';
import { ALL_CHANGES, NO_PROGRAMS, type WorkTreeOptions, withoutFilters } from '../repo-git-state.ts';

/** What is in a repository, in addition to what its remotes have. */
export interface WorkState extends Pick<QuarantineEntry, 'head' | 'refs' | 'stashes' | 'changed' | 'fingerprint'> {
  /** Files that git does not track and does not ignore. */
  readonly untracked: readonly string[];
}

/**
 * Options for gits in the work tree of a person: no program of the repository's configuration runs, and git sees all
 * changes whatever it says.
 */
export async function privateGit(
  git: Git,
  folder: string,
  { excludes, signal }: WorkTreeOptions,
): Promise<GitOptions & { readonly gitDir: string }> {
  const about = { about: folder, gitDir: join(folder, '.git'), workTree: folder, signal };
  const config = [
    ...NO_PROGRAMS,
    ...ALL_CHANGES,
    ['protocol.allow', 'never'] as const,
    ...(excludes === null ? [] : [['core.excludesFile', excludes] as const]),
    ...(await withoutFilters(git, about)),
  ];
  return { ...about, config };
}

/**
 * Reads what would be lost with a repository that has a `.git`: HEAD, refs, stashes, what is staged, and the
 * contents of changed and untracked files. Two repositories with the same fingerprint have the same of all of it,
 * wherever they are. Refs of remotes and ignored files do not count. Writes nothing. Throws `PlanPreconditionFailed` for
 * paths that are no UTF-8.
 */
export async function readWorkState(git: Git, folder: string, options: WorkTreeOptions): Promise<WorkState> {
  const about = await privateGit(git, folder, options);
  const lines = async (...args: string[]): Promise<string[]> => {
    const text = (await git.run(args, about)).toString('utf8');
    if (text.includes('\uFFFD'))
      throw new LonghaulError('PlanPreconditionFailed', `${folder} has a name that is no UTF-8: rename it.`);
    const separator = args.includes('-z') ? '\0' : '\n';
    return text.split(separator).filter((line) => line !== '');
  };
  const head = await headOf(git, about);
  const refs = (await lines('for-each-ref', '--format=%(objectname) %(refname) %(symref)')).map((line) => {
    const [oid = '', name = '', symref = ''] = line.split(' ');
    return { name, oid, symref: symref === '' ? null : symref };
  });
  const stashesIn = async (...args: string[]): Promise<WorkState['stashes']> =>
    (await lines('log', '--no-show-signature', ...args, STASH, '--')).map((line) => ({
      oid: line.slice(0, line.indexOf(' ')),
      message: line.slice(line.indexOf(' ') + 1),
    }));
  const stash = refs.find(({ name }) => name === STASH)?.oid;
  const stashes = stash === undefined ? [] : await stashesIn('-g', '--format=%H %gs');
  // its log may have expired
  if (stash !== undefined && !stashes.some(({ oid }) => oid === stash)) {
    const newest = await stashesIn('-1', '--format=%H %s');
    stashes.unshift(...newest.map(({ oid, message }) => ({ oid, message: asLogged(message) })));
  }
  const staged = await lines('ls-files', '--stage', '-z');
  const status = ['status', '--porcelain=v2', '-z', '--untracked-files=all', '--no-renames'];
  const entries = await lines(...status, '--ignore-submodules=dirty');
  const changed = entries.flatMap((entry) => {
    // "1 XY sub mH mI mW hH hI path": Y is what differs from the index
    const [, differs, path] = /^1 .(.) (?:\S+ ){6}(.*)$/s.exec(entry) ?? [];
    return path === undefined || differs === '.' ? [] : [path];
  });
  const untracked = entries.flatMap((entry) => (entry.startsWith('? ') ? [entry.slice(2).replace(/\/$/, '')] : []));
  const own = refs.filter(({ name }) => !name.startsWith('refs/remotes/') && name !== CLONED_REF && name !== STASH);
  const contents: string[] = [];
  // also those in ignored folders
  const { repositories, unreadable } = await nestedRepositories(folder, staged, options.signal);
  const nested = [...repositories.map(({ path }) => path), ...unreadable];
  for (const path of [...new Set([...changed, ...untracked, ...nested])].toSorted()) {
    options.signal?.throwIfAborted();
    contents.push(`${path}\0${await contentOf(join(folder, path))}`);
  }
  const fingerprint = sha256(JSON.stringify([head, own, stashes, staged, contents]));
  return { head, refs, stashes, changed, untracked, fingerprint };
}

/** SHA-256 of the files of a repository that git does not track, with those that are ignored. */
export async function digestOfOthers(git: Git, folder: string, options: WorkTreeOptions): Promise<string> {
  const about = await privateGit(git, folder, options);
  const contents: string[] = [];
  for (const path of (await git.run(['ls-files', '--others', '-z'], about)).toString('utf8').split('\0').toSorted()) {
    options.signal?.throwIfAborted();
    if (path !== '') contents.push(`${path}\0${await contentOf(join(folder, path))}`);
  }
  return sha256(JSON.stringify(contents));
}

/** HEAD as its file has it where refs are files: `ref: NAME`, or the commit. */
async function headOf(git: Git, about: GitOptions): Promise<string> {
  const ask = async (...args: string[]): Promise<string> => (await git.run(args, about)).toString('utf8').trim();
  try {
    return `ref: ${await ask('symbolic-ref', '--quiet', 'HEAD')}`;
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type !== 'GitFailed') throw error;
    // it is detached
    return ask('rev-parse', '--verify', 'HEAD');
  }
}

/** A message as git writes it into a log, where it may not be empty. */
function asLogged(message: string): string {
  return message.replaceAll(/[ \t\v\f\r]+/g, ' ').trim() || 'a stash';
}

/** The ref of stashes: all but the newest are in its log only. */
export const STASH = 'refs/stash';

/** What is at a path, as text that is equal for equal contents. What may not be read cannot be kept, and has no content. */
async function contentOf(path: string): Promise<string> {
  try {
    return await readableContentOf(path);
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM')) return 'unreadable';
    throw error;
  }
}

async function readableContentOf(path: string): Promise<string> {
  const info = await lstat(path).catch(absent);
  if (info === null) return 'nothing';
  if (info.isSymbolicLink()) return `link ${await readlink(path)}`;
  if (info.isDirectory()) {
    // a repository in the repository, which git does not look into
    const names = (await readdir(path)).toSorted();
    const contents: string[] = [];
    for (const name of names) contents.push(`${name}\0${await contentOf(join(path, name))}`);
    return `folder ${sha256(JSON.stringify(contents))}`;
  }
  if (!info.isFile()) return 'neither a file nor a folder';
  return `${(info.mode & 0o100) === 0 ? 'file' : 'program'} ${await sha256OfFile(path)}`;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
