import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isPlainSegment } from '../../domain/git/repository.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { createBareRepository, type Git, type GitOptions } from '../git/git.ts';
import { atCommit, type CommitTools } from './committed-file.ts';
import { formatOf, hasCommit } from './diff.ts';
import {
  checkRefName,
  pushNewRef,
  type PushPlace,
  pushPlace,
  type Removal,
  removeRef,
  type WantedRef,
} from './push-ref.ts';
import type { Access, Source } from './source.ts';

/** A branch that a remote is to have. */
export interface NewBranch {
  /** `hotfix/v2.3.1` */
  readonly name: string;
  /** Full oid of a commit that the remote has: the branch begins here. */
  readonly from: string;
  /** A commit on top of it. @default the branch is at `from` itself */
  readonly commit?: NewCommit;
  /**
   * True for a name that only Longhaul gives: a branch that others have added commits to is still the wanted one. One with
   * a new commit of our own always is. @default false
   */
  readonly mayHaveGrown?: boolean;
}

/** A commit that adds or replaces files. Its bytes follow from these fields, so a repetition makes the same commit. */
export interface NewCommit {
  readonly message: string;
  /** Seconds since 1970. @default the time of the commit before it */
  readonly time?: number;
  readonly files: readonly NewFile[];
}

/** A file of a new commit. */
export interface NewFile {
  /** `.longhaul/generations/v2.3.1.yaml` */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Whether it can be executed. @default false */
  readonly isExecutable?: boolean;
}

/** A branch on a remote. */
export interface PushedBranch {
  /** The commit that was pushed: the new one, or `from`. */
  readonly commit: string;
  /** Where the branch is now. It differs from `commit` when others have added commits on top of a new one. */
  readonly head: string;
  /** False when the remote had it already. */
  readonly isNew: boolean;
}

/**
 * Pushes a branch that the remote does not have. It is left as it is when it is at this very commit, or has grown from
 * it in a way that shows that it is ours. Throws `BranchConflict` when the remote has another branch of this name, `PushRefused` when it does
 * not take it, `InvalidInput` for a bad name or path, or when the remote does not have `from`.
 */
export async function pushBranch(tools: CommitTools, access: Access, branch: NewBranch): Promise<PushedBranch> {
  const { name, commit: added, mayHaveGrown = added !== undefined } = branch;
  return withCommit(tools, access, branch, async (place, source, commit) => {
    let head = commit;
    const isNew = await pushNewRef(place, wantedBranch(name, commit), async (found) => {
      // without a new commit nothing shows whose branch it is
      if (!mayHaveGrown || !(await contains(place, source, found, commit))) {
        throw new LonghaulError('BranchConflict', `${access.id} has another branch ${name}, at ${found.slice(0, 12)}.`);
      }
      head = found;
    });
    return { commit, head, isNew };
  });
}

/** Removes the branch that {@link pushBranch} pushes, if it is at this very commit. Throws `PushRefused`. */
export function removePushedBranch(tools: CommitTools, access: Access, branch: NewBranch): Promise<Removal> {
  return withCommit(tools, access, branch, (place, _source, commit) =>
    removeRef(place, wantedBranch(branch.name, commit)),
  );
}

/** Runs `work` with the commit of a branch, which is made if it is a new one. */
async function withCommit<Result>(
  tools: CommitTools,
  access: Access,
  { name, from, commit: added }: NewBranch,
  work: (place: PushPlace, source: Source, commit: string) => Promise<Result>,
): Promise<Result> {
  const { git, cacheDir } = tools;
  checkRefName(name);
  for (const { path } of added?.files ?? []) checkPath(path);
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, 'push-'));
  const gitDir = join(scratch, 'branch.git');
  try {
    return await atCommit(tools, access, from, async (source) => {
      await createBareRepository(gitDir, formatOf(from) ?? 'sha1');
      const place = await pushPlace(git, access, { gitDir, store: source.store });
      const commit = added === undefined ? from : await makeCommit(git, from, added, place.options);
      return work(place, source, commit);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function wantedBranch(name: string, commit: string): WantedRef {
  return { ref: `refs/heads/${name}`, object: commit, called: `the branch ${name}` };
}

/** Makes a commit without a work tree: of the commit before it only trees are read. */
async function makeCommit(git: Git, from: string, commit: NewCommit, options: GitOptions): Promise<string> {
  const time = commit.time ?? (await timeOf(git, from, options));
  const who = `Longhaul <longhaul@localhost> ${time} +0000`;
  const input = [
    `commit refs/heads/made\nmark :1\nauthor ${who}\ncommitter ${who}\n`,
    ...data(commit.message),
    `from ${from}\n`,
    ...commit.files.flatMap(({ path, content, isExecutable = false }) => [
      `M ${isExecutable ? '100755' : '100644'} inline ${quoted(path)}\n`,
      ...data(content),
    ]),
    'get-mark :1\ndone\n',
  ].map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const args = ['fast-import', '--quiet', '--done'];
  const printed = await git.run(args, { ...options, input: Buffer.concat(input) });
  return printed.toString('latin1').trim();
}

/** The time of a commit, in seconds since 1970. */
async function timeOf(git: Git, commit: string, options: GitOptions): Promise<number> {
  const printed = await git.run(['show', '--no-patch', '--format=%ct', commit], options);
  return Number(printed.toString('latin1'));
}

/** True when `later`, where a branch of the remote is, contains `commit`. */
async function contains({ git, options }: PushPlace, source: Source, later: string, commit: string): Promise<boolean> {
  const isHere = (): Promise<boolean> => hasCommit(git, source.store, later, options);
  if (!(await isHere()) && !((await source.fetchCommit(later)) && (await isHere()))) return false;
  return (await git.run(['rev-list', '--max-count=1', commit, `^${later}`], options)).length === 0;
}

/** A block of bytes for git-fast-import(1). */
function data(content: string | Uint8Array): (string | Uint8Array)[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return [`data ${bytes.length}\n`, bytes, '\n'];
}

/** A path for git-fast-import(1), every byte of it escaped. */
function quoted(path: string): string {
  return `"${[...Buffer.from(path)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
}

/** Throws `InvalidInput` for a path that leaves the tree, or is git's own. */
function checkPath(path: string): void {
  if (path.split('/').every((segment) => isPlainSegment(segment) && !GIT_FOLDER.test(segment))) return;
  throw new LonghaulError('InvalidInput', `"${path.slice(0, 200)}" cannot be the path of a file in a commit.`);
}

/** The folder of a repository, also by its short name on Windows. */
const GIT_FOLDER = /^(\.git|git~\d+)$/i;
