import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { unpackCommit } from '../git/checkout.ts';
import type { Git, GitOptions } from '../git/git.ts';
import { formatOf, hasCommit } from './diff.ts';
import { commitsBefore } from './push-tag.ts';
import { withSource } from './resolve-remote.ts';
import type { Access, Source } from './source.ts';

/**
 * How a commit is contained in another one: it is an ancestor (or the same commit); its patch is there, rebased or
 * squashed; it is not there; or neither the remote nor the pack has it.
 */
export type CommitCover = 'ancestor' | 'patch' | 'absent' | 'unknown';

/** What a commit contains. */
export interface CoverQuestion {
  /** Full oid. */
  readonly commit: string;
  /** The pack of the commit, which the remote may not have. */
  readonly openPack: () => Promise<Readable>;
  /** Full oids of the commits to look for. */
  readonly commits: readonly string[];
  /** True compares patches too, for which contents may have to be fetched. */
  readonly patches: boolean;
}

/** A commit and who wrote it. */
export interface LoggedCommit {
  readonly commit: string;
  /** E-mail addresses of its author and co-authors. */
  readonly authors: readonly string[];
  readonly message: string;
}

/** The commits that a repository has, for questions about its history. */
export interface History {
  /** How each commit is contained in {@link CoverQuestion.commit}. */
  cover(): Promise<ReadonlyMap<string, CommitCover>>;
  /** The commits of {@link CoverQuestion.commit} that `since` does not have, newest first, at most `most`; all for null. */
  log(since: string | null, most: number): Promise<readonly LoggedCommit[]>;
}

/** What reading a history needs. */
interface HistoryTools {
  readonly git: Git;
  readonly cacheDir: string;
}

/** Each field ends with NUL, and so does each commit: an empty field after the last. */
const LOG_FORMAT = '--format=%H%x00%aE%x00%(trailers:key=Co-authored-by,valueonly,separator=%x01)%x00%B%x00';
const FIELDS = 5;
/** Commits whose patches are compared with that of a squashed one. */
const MOST_COMPARED = 2_000;

/** Runs `work` with the history of a commit: that of the remote, and of the commit's own pack. */
export async function withHistory<Result>(
  { git, cacheDir }: HistoryTools,
  access: Access,
  question: CoverQuestion,
  work: (history: History) => Promise<Result>,
): Promise<Result> {
  const { id: about, signal } = access;
  const { commit, openPack } = question;
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, 'history-'));
  try {
    const { path } = await unpackCommit(git, join(scratch, 'commit.git'), commit, openPack, { about, signal });
    // the history does not end here: the remote has the rest of it
    await rm(join(path, 'shallow'));
    return await withSource(git, cacheDir, access, formatOf(commit) ?? 'sha1', async (source) => {
      const options = { about, signal, gitDir: path, store: source.store };
      await fetchParents(git, source, path, options);
      return work({
        cover: () => coverOf(git, source, question, options),
        log: (since, most) => logOf(git, source, { commit, since, most }, options),
      });
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Makes the commits before the packed ones available: a mirror that has a commit has its whole history. */
async function fetchParents(git: Git, source: Source, gitDir: string, { about, signal }: GitOptions): Promise<void> {
  for (const commit of await commitsBefore(git, gitDir, { about, signal })) {
    const isThere = await hasCommit(git, source.store, commit, { about, signal });
    if (!isThere && !(await source.fetchCommit(commit))) {
      throw new LonghaulError(
        'PushRefused',
        `${about} does not have the commit ${commit.slice(0, 12)}, which comes before the released one: push your branch.`,
      );
    }
  }
}

async function coverOf(
  git: Git,
  source: Source,
  { commit, commits, patches }: CoverQuestion,
  options: GitOptions,
): Promise<ReadonlyMap<string, CommitCover>> {
  const wanted = [...new Set(commits)];
  const ancestors = new Set(
    wanted.length === 0 ? [] : (await git.run(['rev-list', commit], options)).toString('latin1').split('\n'),
  );
  const found = new Map<string, CommitCover>();
  const others: string[] = [];
  for (const each of wanted) {
    if (ancestors.has(each)) found.set(each, 'ancestor');
    else if (!(await isHere(git, source, each, options))) found.set(each, 'unknown');
    else others.push(each);
  }
  if (!patches) for (const each of others) found.set(each, 'absent');
  else if (others.length > 0) {
    // patches need contents
    await source.fetchWhole();
    for (const each of others) {
      found.set(each, (await hasPatch(git, commit, each, options)) ? 'patch' : 'absent');
    }
  }
  return found;
}

async function isHere(git: Git, source: Source, commit: string, options: GitOptions): Promise<boolean> {
  const look = async (): Promise<boolean> => {
    const printed = await git.run(['cat-file', '--batch-check=%(objecttype)'], { ...options, input: `${commit}\n` });
    return printed.toString('latin1').trim() === 'commit';
  };
  return (await look()) || ((await source.fetchCommit(commit)) && (await look()));
}

/** True when each patch of `other` that `commit` does not have as a commit is there as a patch, alone or squashed. */
async function hasPatch(git: Git, commit: string, other: string, options: GitOptions): Promise<boolean> {
  const listed = (await git.run(['cherry', commit, other], options)).toString('latin1').trim().split('\n');
  const marks = listed.filter(Boolean);
  if (marks.length > 0 && marks.every((line) => line.startsWith('-'))) return true;
  const [base] = (await git.run(['merge-base', '--all', commit, other], options)).toString('latin1').split('\n');
  if (base === undefined || base === '') return false;
  const patch = await git.run(['diff-tree', '-p', '--full-index', base, other], options);
  const [squashed] = await patchIds(git, patch, options);
  if (squashed === undefined) return false;
  const args = ['log', '-p', '--full-index', '--no-merges', `--max-count=${MOST_COMPARED}`, `${base}..${commit}`];
  return (await patchIds(git, await git.run(args, options), options)).includes(squashed);
}

async function patchIds(git: Git, patches: Buffer, options: GitOptions): Promise<string[]> {
  const printed = await git.run(['patch-id', '--stable'], { ...options, input: patches });
  return [...printed.toString('latin1').matchAll(/^([0-9a-f]+) /gm)].map(([, id = '']) => id);
}

async function logOf(
  git: Git,
  source: Source,
  { commit, since, most }: { readonly commit: string; readonly since: string | null; readonly most: number },
  options: GitOptions,
): Promise<readonly LoggedCommit[]> {
  const isKnown = since !== null && (await isHere(git, source, since, options));
  const range = isKnown ? [commit, `^${since}`] : [commit];
  const printed = await git.run(['log', '-z', LOG_FORMAT, `--max-count=${most}`, ...range], options);
  const fields = printed.toString('utf8').split('\0');
  const commits: LoggedCommit[] = [];
  for (let at = 0; at + FIELDS <= fields.length; at += FIELDS) {
    const [oid = '', author = '', others = '', message = ''] = fields.slice(at, at + FIELDS);
    const emails = [author, ...[...others.matchAll(/<([^<>]+)>/g)].map(([, email = '']) => email)];
    commits.push({ commit: oid, authors: emails.map((email) => email.toLowerCase()), message });
  }
  return commits;
}
