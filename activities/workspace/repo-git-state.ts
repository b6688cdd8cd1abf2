import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { unknownState } from '../../domain/workspace/desired-snapshot.ts';
import type { GitInProgress, RepoGitState } from '../../domain/workspace/workspace-snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode, messageOf } from '../../platform/error-code.ts';
import { createSemaphore } from '../../platform/semaphore.ts';
import { withoutCredentials } from '../git/clone-url.ts';
import { complaintOf, type Git } from '../git/git.ts';
import { findLayout, type Layout } from '../mgit/layout.ts';

/** A repository in the work tree of a person. */
export interface WorkTree {
  readonly state: RepoGitState;
  /** The address of the remote `origin`, without credentials; null when there is none. */
  readonly origin: string | null;
}

/** A key of git's configuration, and its value. */
type Setting = readonly [key: string, value: string];

/** Files in the folder of a repository that say which operation is in progress: the first one counts. */
const IN_PROGRESS: readonly (readonly [file: string, operation: GitInProgress])[] = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'am'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry_pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
];

/** Set for every command in a work tree, so that no program runs that the repository's configuration names. */
export const NO_PROGRAMS: readonly Setting[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
];

/** Set for every command that looks for changes: with other values git does not see some of them. */
export const ALL_CHANGES: readonly Setting[] = [
  ['core.checkStat', 'default'],
  ['core.trustctime', 'true'],
  ['core.fileMode', 'true'],
  ['core.symlinks', 'true'],
  ['core.ignoreStat', 'false'],
  ['core.untrackedCache', 'false'],
  // elsewhere a file may have another spelling on the disk
  ...(process.platform === 'linux' ? [['core.ignoreCase', 'false'] as const] : []),
];

/** Sections that name programs, or other files that may. A section may follow another one on its line. */
const MAY_NAME_PROGRAMS = /\[\s*(?:filter|include|includeif)\b/i;

/** How work trees are read. */
export interface WorkTreeOptions {
  /** Patterns of files that the person never commits, `core.excludesFile`; null for none. */
  readonly excludes: string | null;
  /** Ends git. */
  readonly signal?: AbortSignal | undefined;
}

/** A repository of a workspace, and its folder. */
export interface NamedFolder {
  readonly name: string;
  readonly folder: string;
}

/** A repository that was found, and what its configuration says. */
interface FoundRepo extends NamedFolder {
  readonly layout: Layout;
  readonly origin: string | null;
  /** True when its configuration names programs or patterns, so that it needs settings of its own. */
  readonly isSpecial: boolean;
  readonly hasExcludes: boolean;
}

const STATUS = ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=normal', '--ignore-submodules=dirty'];

/**
 * An alias of git that prints the status of many repositories, given as pairs of their two folders; after each an empty
 * entry and the exit code. To start a process from this one costs several times as much as the status of a repository.
 */
const STATUSES = `!f() { while [ $# -gt 0 ]; do GIT_DIR="$1" GIT_WORK_TREE="$2" git ${STATUS.join(' ')}; printf '\\0%s\\0' "$?"; shift 2; done; }; f`;

/** The largest number of repositories for one process: the length of its arguments is limited. */
const MOST_IN_BATCH = 50;

/**
 * What `git status` says about the repositories in these folders, in their order. Nothing is written, no program of
 * their configuration runs, and submodules are compared by their commit only. A repository that git cannot read has an
 * `error`, and does not fail the others. Several processes work in parallel.
 */
export async function readWorkTrees(
  git: Git,
  repos: readonly NamedFolder[],
  options: WorkTreeOptions,
): Promise<readonly WorkTree[]> {
  const found = await Promise.all(repos.map(findRepo));
  const plain = found.filter((repo) => repo !== null && !repo.isSpecial) as readonly FoundRepo[];
  const lanes = Math.max(4, availableParallelism());
  const size = Math.min(Math.max(Math.ceil(plain.length / (4 * lanes)), 1), MOST_IN_BATCH);
  const semaphore = createSemaphore(lanes);
  const inLane = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const release = await semaphore.acquire(options.signal);
    return work().finally(release);
  };
  const batches = Array.from({ length: Math.ceil(plain.length / size) }, (_, at) =>
    plain.slice(at * size, (at + 1) * size),
  );
  const outputs = new Map<string, string>();
  await Promise.all(
    batches.map(async (batch) => {
      for (const [name, output] of await inLane(() => statusOfAll(git, batch, options))) outputs.set(name, output);
    }),
  );
  return Promise.all(
    repos.map(async ({ name, folder }, at): Promise<WorkTree> => {
      const repo = found[at] ?? null;
      if (repo === null) return { state: unknownState(name, folder), origin: null };
      const { origin, layout } = repo;
      try {
        // a status that failed is asked for alone, for the reason
        const output = outputs.get(name) ?? (await inLane(() => statusOf(git, repo, options)));
        return { state: { ...parseStatus(name, folder, output), in_progress: await operationIn(layout) }, origin };
      } catch (error) {
        passable(error);
        return { state: unknownState(name, folder, complaintOf(error) || messageOf(error)), origin };
      }
    }),
  );
}

/** Null for what is wrong with a repository; other errors are thrown, such as those of a git that is missing. */
function passable(error: unknown): null {
  if (error instanceof LonghaulError && error.type !== 'GitUnusable') return null;
  throw error;
}

async function findRepo({ name, folder }: NamedFolder): Promise<FoundRepo | null> {
  const layout = await findLayout(folder);
  // a bare repository has no files
  if (layout === null || layout.gitDir === folder) return null;
  const configuration = await readConfiguration(layout);
  const hasExcludes = /\bexcludesfile\s*=/i.test(configuration);
  const isSpecial = hasExcludes || MAY_NAME_PROGRAMS.test(configuration);
  return { name, folder, layout, origin: originIn(configuration), isSpecial, hasExcludes };
}

/** The output of each status that succeeded, by name. */
async function statusOfAll(
  git: Git,
  batch: readonly FoundRepo[],
  { excludes, signal }: WorkTreeOptions,
): Promise<ReadonlyMap<string, string>> {
  const config: Setting[] = [
    ...NO_PROGRAMS,
    ...ALL_CHANGES,
    ...(excludes === null ? [] : [['core.excludesFile', excludes] as const]),
  ];
  const folders = batch.flatMap(({ layout, folder }) => [layout.gitDir, folder]);
  const args = ['-c', `alias.statuses=${STATUSES}`, 'statuses', ...folders];
  const outputs = new Map<string, string>();
  const printed = await git.run(args, { about: `${batch.length} repositories`, config, signal }).catch(passable);
  const entries = printed === null ? [] : printed.toString('utf8').split('\0');
  let at = 0;
  for (const { name } of batch) {
    const end = entries.indexOf('', at);
    if (end < 0) break;
    if (entries[end + 1] === '0') outputs.set(name, entries.slice(at, end).join('\0'));
    at = end + 2;
  }
  return outputs;
}

async function statusOf(
  git: Git,
  { folder, layout, isSpecial, hasExcludes }: FoundRepo,
  options: WorkTreeOptions,
): Promise<string> {
  const { excludes, signal } = options;
  const about = { about: folder, gitDir: layout.gitDir, signal };
  const config: Setting[] = [
    ...NO_PROGRAMS,
    ...ALL_CHANGES,
    ...(excludes === null || hasExcludes ? [] : [['core.excludesFile', excludes] as const]),
    ...(isSpecial ? await withoutFilters(git, about) : []),
  ];
  return (await git.run(STATUS, { ...about, workTree: folder, config })).toString('utf8');
}

/** The state in the output of `git status --porcelain=v2 --branch -z`. */
function parseStatus(repo: string, repo_path: string, output: string): RepoGitState {
  const heads = new Map<string, string>();
  let dirty = false;
  for (const entry of output.split('\0')) {
    const [, key, value] = /^# branch\.(\w+) (.*)$/s.exec(entry) ?? [];
    if (key !== undefined && value !== undefined) heads.set(key, value);
    else if (entry !== '' && !entry.startsWith('# ')) dirty = true;
  }
  const [oid = '(initial)', head = '(detached)'] = [heads.get('oid'), heads.get('head')];
  const [, ahead = 0, behind = 0] = /^\+(\d+) -(\d+)$/.exec(heads.get('ab') ?? '')?.map(Number) ?? [];
  return {
    repo,
    repo_path,
    'is_git_repo?': true,
    branch: head === '(detached)' ? null : head,
    'detached_head?': head === '(detached)',
    head_sha: oid === '(initial)' ? null : oid,
    upstream: heads.get('upstream') ?? null,
    ahead,
    behind,
    'dirty?': dirty,
    in_progress: 'none',
    error: null,
  };
}

async function operationIn({ gitDir }: Layout): Promise<GitInProgress> {
  const names = new Set(await readdir(gitDir));
  const [, operation = 'none'] = IN_PROGRESS.find(([file]) => names.has(file)) ?? [];
  if (operation !== 'am') return operation;
  // the folder of both; only `git am` writes this file
  return (await readdir(join(gitDir, 'rebase-apply'))).includes('applying') ? 'am' : 'rebase';
}

/** The repository's own configuration, and that of its worktree. */
async function readConfiguration({ gitDir, commonDir }: Layout): Promise<string> {
  const texts = await Promise.all([join(commonDir, 'config'), join(gitDir, 'config.worktree')].map(textOrNothing));
  return texts.join('\n');
}

async function textOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}

/** The address of the remote `origin` in a configuration (git-config(1)); null when there is none. */
function originIn(configuration: string): string | null {
  let isOrigin = false;
  for (const line of configuration.split('\n')) {
    if (/^\s*\[/.test(line)) isOrigin = /^\s*\[\s*remote\s+"origin"\s*\]/i.test(line);
    const value = isOrigin ? /^\s*url\s*=\s*(.*?)\s*$/i.exec(line)?.[1] : undefined;
    if (value === undefined) continue;
    const plain = /^"(.*)"$/.exec(value)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? value.replace(/\s+[#;].*$/, '');
    return plain === '' ? null : withoutCredentials(plain);
  }
  return null;
}

/** Settings that switch off every filter which the repository's configuration names. */
export async function withoutFilters(
  git: Git,
  about: { readonly about: string; readonly gitDir: string; readonly signal?: AbortSignal | undefined },
): Promise<Setting[]> {
  const printed = await git.run(['config', '--list', '--name-only', '-z'], about);
  const names = new Set(
    printed
      .toString('utf8')
      .split('\0')
      .flatMap((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []),
  );
  return [...names].flatMap((name) => [
    [`filter.${name}.clean`, ''] as const,
    [`filter.${name}.smudge`, ''] as const,
    [`filter.${name}.process`, ''] as const,
    [`filter.${name}.required`, 'false'] as const,
  ]);
}
