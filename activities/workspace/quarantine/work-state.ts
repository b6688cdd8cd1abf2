import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { QuarantineEntry } from '../../../domain/workspace/quarantine.schema.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { sha256, sha256OfFile } from '../../../platform/sha256.ts';
import type { Git, GitOptions } from '../../git/git.ts';
import { CLONED_REF } from '../../mgit/clone-into.ts';
import { nestedRepositories } from '../nested-repositories.ts';
import { NO_PROGRAMS, type WorkTreeOptions, withoutFilters } from '../repo-git-state.ts';

/** What is in a repository, in addition to what its remotes have. */
export interface WorkState extends Pick<QuarantineEntry, 'head' | 'refs' | 'stashes' | 'changed' | 'fingerprint'> {
  /** Files that git does not track and does not ignore. */
  readonly untracked: readonly string[];
}

/** Options for gits in the work tree of a person: no program of the repository's configuration runs. */
export async function privateGit(
  git: Git,
  folder: string,
  { excludes, signal }: WorkTreeOptions,
): Promise<GitOptions & { readonly gitDir: string }> {
  const about = { about: folder, gitDir: join(folder, '.git'), workTree: folder, signal };
  const config = [
    ...NO_PROGRAMS,
    ['protocol.allow', 'never'] as const,
    ...(excludes === null ? [] : [['core.excludesFile', excludes] as const]),
    ...(await withoutFilters(git, about)),
  ];
  return { ...about, config };
}

/**
 * Reads what would be lost with a repository that has a folder `.git`: HEAD, refs, stashes, what is staged, and the
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
  const head = (await readFile(join(folder, '.git', 'HEAD'), 'utf8')).trim();
  const refs = (await lines('for-each-ref', '--format=%(objectname) %(refname) %(symref)')).map((line) => {
    const [oid = '', name = '', symref = ''] = line.split(' ');
    return { name, oid, symref: symref === '' ? null : symref };
  });
  const stashes = refs.some(({ name }) => name === STASH)
    ? (await lines('log', '-g', '--no-show-signature', '--format=%H %gs', STASH, '--')).map((line) => ({
        oid: line.slice(0, line.indexOf(' ')),
        message: line.slice(line.indexOf(' ') + 1),
      }))
    : [];
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
  const nested = (await nestedRepositories(folder, options.signal)).map(({ path }) => path);
  for (const path of [...new Set([...changed, ...untracked, ...nested])].toSorted()) {
    options.signal?.throwIfAborted();
    contents.push(`${path}\0${await contentOf(join(folder, path))}`);
  }
  const fingerprint = sha256(JSON.stringify([head, own, stashes, staged, contents]));
  return { head, refs, stashes, changed, untracked, fingerprint };
}

/** The ref of stashes: all but the newest are in its log only. */
export const STASH = 'refs/stash';

/** What is at a path, as text that is equal for equal contents. */
async function contentOf(path: string): Promise<string> {
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
