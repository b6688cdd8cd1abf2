import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { complaintOf, type Git } from '../git/git.ts';
import { CLONED_REF } from '../mgit/clone-into.ts';
import { nestedRepositories } from './nested-repositories.ts';
import { NO_PROGRAMS, readWorkTrees, withoutFilters, type WorkTreeOptions } from './repo-git-state.ts';

/** What would be lost with a repository: one sentence each, without a subject. Empty when nothing would. */
export type UnsavedWork = readonly string[];

/** What can be kept in quarantine. */
const [CHANGES, STASHED, COMMITS] = [
  'it has changes or files that are not committed',
  'it has a stash',
  'it has commits that no remote has',
] as const;

/** True for a sentence of {@link UnsavedWork} about something that can be kept in quarantine, and restored. */
export function isKeepable(sentence: string): boolean {
  const [, inside = sentence] = /^there is the repository .* in it: (.*)$/s.exec(sentence) ?? [];
  return inside.split(', ').every((part) => [CHANGES, STASHED, COMMITS].some((each) => each === part));
}

/** No command below needs a network: one that a repository's configuration asks for is refused. */
const NO_NETWORK = ['https', 'http', 'ssh', 'file'].map((name) => [`protocol.${name}.allow`, 'never'] as const);

/**
 * What would be lost if the repository in a folder were removed: changes and files that are not committed, commits that no
 * remote has as far as the repository knows, a stash, an operation that waits for its end, work trees and submodules
 * with repositories of their own, repositories in its folders that have any of this. Files that are ignored are not looked
 * at, but repositories among them are. Nothing is written, no program of the
 * repository's configuration runs, and its `.git` must be a folder in it, so that no other repository is asked instead.
 */
export async function unsavedWork(git: Git, folder: string, options: WorkTreeOptions): Promise<UnsavedWork> {
  const gitDir = join(folder, '.git');
  if (!(await isFolder(gitDir))) return ['it is no repository with a folder .git of its own'];
  const found: string[] = [];
  for (const [name, why] of [
    ['commondir', 'it is a work tree of another repository'],
    ['index.lock', 'a git works in it'],
  ] as const) {
    if (await isThere(join(gitDir, name))) found.push(why);
  }
  for (const [name, why] of [
    ['worktrees', 'other work trees belong to it'],
    ['modules', 'submodules have repositories in it'],
  ] as const) {
    if ((await namesIn(join(gitDir, name))).length > 0) found.push(why);
  }
  if (found.length > 0) return found;

  const [tree] = await readWorkTrees(git, [{ name: folder, folder }], options);
  if (tree === undefined) throw new Error(`${folder} was not read`);
  const { state } = tree;
  if (state.error !== null) return [`git cannot read it: ${state.error}`];
  if (state.in_progress !== 'none') found.push(`git waits for the end of: ${state.in_progress.replace('_', '-')}`);
  if (state['dirty?']) found.push(CHANGES);

  const about = { about: folder, gitDir, workTree: folder, signal: options.signal };
  const config = [...NO_PROGRAMS, ...NO_NETWORK, ...(await withoutFilters(git, about))];
  const ask = async (...args: string[]): Promise<string> =>
    (await git.run(args, { ...about, config })).toString('utf8');
  try {
    const hidden = (await ask('ls-files', '-v', '-z')).split('\0').filter((entry) => /^[a-zS] /.test(entry));
    for (const entry of hidden) {
      const isGone = entry.startsWith('S') && !(await isThere(join(folder, entry.slice(2))));
      if (!isGone) found.push(`git does not look for changes of ${entry.slice(2)} (git update-index)`);
    }
    const submodules = new Set<string>();
    const index = (await ask('ls-files', '--stage', '-z')).split('\0');
    for (const entry of index) {
      const path = /^160000 \w+ \d\t(.*)$/s.exec(entry)?.[1];
      if (path === undefined || !(await isThere(join(folder, path, '.git')))) continue;
      found.push(`the submodule ${path} has a repository of its own`);
      submodules.add(path);
    }
    const { repositories, unreadable } = await nestedRepositories(folder, index, options.signal);
    for (const path of unreadable) found.push(`its folder ${path} may not be read, and what is in it is not known`);
    for (const { path, isBare } of repositories) {
      if (submodules.has(path)) continue;
      const work = isBare ? ['it has no files'] : await unsavedWork(git, join(folder, path), options);
      if (work.length > 0) found.push(`there is the repository ${path} in it: ${work.join(', ')}`);
    }
    if ((await ask('for-each-ref', 'refs/stash')) !== '') found.push(STASHED);
    const own = ['--exclude=refs/remotes/*', '--exclude=refs/stash', `--exclude=${CLONED_REF}`, '--all'];
    // git adds `/*` to a pattern without wildcards
    const list = [
      'rev-list',
      '--max-count=1',
      ...own,
      '--not',
      '--remotes',
      `--glob=${CLONED_REF.replace(/.$/, '[$&]')}`,
    ];
    if ((await ask(...list)) !== '') found.push(COMMITS);
  } catch (error) {
    if (!(error instanceof LonghaulError) || error.type === 'GitUnusable') throw error;
    found.push(`git cannot read it: ${complaintOf(error) || error.message}`);
  }
  return found;
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent))?.isDirectory() ?? false;
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent)) !== null;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(absent)) ?? [];
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
  throw error;
}
