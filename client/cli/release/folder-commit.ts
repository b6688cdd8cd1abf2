import { Readable } from 'node:stream';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { isBranchName } from '../../../domain/git/branch.ts';
import { runProgram } from '../../../platform/program.ts';
import type { CommitPack } from '../../../activities/mgit/index.ts';
import type { CliContext } from '../../core/context.ts';

/** A commit of the working folder. */
export interface FolderCommit {
  /** Its full oid. */
  readonly commit: string;
  /** The branch that is checked out; null for a detached HEAD, and for another commit than HEAD. */
  readonly branch: string | null;
  /** The commit in the blob store; null when the remote has it. */
  readonly packed: PackedCommit | null;
  /** Changes of the folder that are not committed, as `git status --short` prints them. */
  readonly uncommitted: readonly string[];
}

const MOST_SHOWN = 20;

/**
 * A commit of the working folder. One that no remote branch has, as far as the folder knows, is packed into the blob store
 * for the workers; no branch is pushed. Throws `InvalidInput` for a folder without git, or an unknown commit.
 */
export async function commitOfFolder(context: CliContext, repository: string, revision: string): Promise<FolderCommit> {
  const git = async (...args: string[]): Promise<string | null> => {
    const { code, stdout } = await runProgram('git', args, { env: context.env });
    return code === 0 ? stdout.trimEnd() : null;
  };
  const top = await git('rev-parse', '--show-toplevel');
  const commit =
    top === null ? null : await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`);
  if (top === null || commit === null) {
    throw new LonghaulError('InvalidInput', `This folder has no commit ${revision}: run the command in a clone.`);
  }
  const name = revision === 'HEAD' ? await git('symbolic-ref', '--short', '--quiet', 'HEAD') : null;
  const remote = await git('for-each-ref', '--count=1', '--contains', commit, '--format=%(refname)', 'refs/remotes');
  const status = (await git('status', '--short')) ?? '';
  return {
    commit,
    branch: name !== null && isBranchName(name) ? name : null,
    packed: remote ? null : await pack(context, repository, { folder: top, commit, pushed: await remoteCommits(git) }),
    uncommitted: status === '' ? [] : status.split('\n').slice(0, MOST_SHOWN),
  };
}

/** The top folder of the clone that the command runs in. Throws `InvalidInput` outside one. */
export async function topOfFolder({ env }: CliContext): Promise<string> {
  const { code, stdout } = await runProgram('git', ['rev-parse', '--show-toplevel'], { env });
  if (code === 0) return stdout.trimEnd();
  throw new LonghaulError('InvalidInput', 'This folder is in no git repository: run the command in a clone.');
}

/** The commits of remote branches and tags, as far as the clone knows. */
async function remoteCommits(git: (...args: string[]) => Promise<string | null>): Promise<string[]> {
  return ((await git('for-each-ref', '--format=%(objectname)', 'refs/remotes')) ?? '').split('\n').filter(Boolean);
}

async function pack(
  context: CliContext,
  id: string,
  { folder, commit, pushed }: { readonly folder: string; readonly commit: string; readonly pushed: readonly string[] },
): Promise<PackedCommit> {
  const [{ openMgit }, { openBlobs }] = await Promise.all([
    import('../../../activities/mgit/open-mgit.ts'),
    import('../../../activities/blobs/open-blobs.ts'),
  ]);
  const blobs = await openBlobs(context, context.env);
  const loaded = { ...context, path: context.configPath };
  const store = async (found: CommitPack): Promise<PackedCommit> => {
    const { digest } = await blobs.put(found.pack);
    const changed = await blobs.put(Readable.from([Buffer.from(JSON.stringify(found.changed))]));
    return { commit, tree: found.tree, pack: digest, changed: changed.digest };
  };
  return openMgit(loaded, context.env).withCommitPack({ id, cloneUrl: folder }, commit, store, { pushed });
}
