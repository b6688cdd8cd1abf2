import { PassThrough, type Readable } from 'node:stream';
import type { Git } from '../git/git.ts';
import { atCommit, type CommitTools } from './committed-file.ts';
import type { Access, Source } from './source.ts';

/** A commit with everything that a checkout needs. */
export interface CommitPack {
  readonly commit: string;
  readonly tree: string;
  /** The paths that differ from its first parent; all its paths when it has none, or the repository does not have it. */
  readonly changed: readonly string[];
  /**
   * A pack (gitformat-pack) of the commit with its tree and contents, without its parents; and of the commits that the
   * remote does not have.
   */
  readonly pack: AsyncIterable<Uint8Array>;
}

/**
 * Packs a commit. `pushed` are commits that the remote has, of a clone whose own commits may be missing there; empty for
 * the remote itself. Missing contents are fetched with one request. `work` must read the pack to its end. Throws
 * `InvalidInput` when the repository does not have the commit.
 */
export async function withCommitPack<Result>(
  tools: CommitTools,
  access: Access,
  commit: string,
  pushed: readonly string[],
  work: (pack: CommitPack) => Promise<Result>,
): Promise<Result> {
  const { git } = tools;
  const { id: about, signal } = access;
  return atCommit(tools, access, commit, async (source) => {
    const { store } = source;
    const options = { about, signal, store };
    const printed = (await git.run(['rev-parse', `${commit}^{tree}`, `${commit}^@`], options)).toString('latin1');
    const [tree = '', parent] = printed.trim().split('\n');
    await fetchMissing(git, source, commit, options);
    const changed = await changedPaths(git, commit, parent, options);
    const list = ['rev-list', '--objects', '--no-object-names'];
    const own = await git.run([...list, '--no-walk', commit], options);
    const input = [commit, ...pushed.map((oid) => `^${oid}`), ''].join('\n');
    const before = pushed.length === 0 ? Buffer.alloc(0) : await git.run([...list, '--stdin'], { ...options, input });
    const child = await git.start(['pack-objects', '--stdout', '--quiet', '--delta-base-offset'], options);
    // read from the beginning: what comes before the first reader is lost
    const pack = child.stdout.pipe(new PassThrough());
    child.stdin.end(Buffer.concat([own, before]));
    try {
      return await work({ commit, tree, changed, pack: ending(pack, child.ended) });
    } finally {
      child.kill();
    }
  });
}

type Options = Parameters<Git['run']>[1];

/** Fetches the contents of a commit that a source does not have, with one request. */
export async function fetchMissing(git: Git, source: Source, commit: string, options: Options): Promise<void> {
  const args = ['rev-list', '--objects', '--no-walk', '--missing=print', commit];
  const listed = (await git.run(args, options)).toString('latin1');
  const missing = [...listed.matchAll(/^\?([0-9a-f]+)$/gm)].map(([, oid = '']) => oid);
  if (missing.length > 0 && !(await source.fetchBlobs(missing))) await source.fetchWhole();
}

async function changedPaths(
  git: Git,
  commit: string,
  parent: string | undefined,
  options: Options,
): Promise<readonly string[]> {
  const args = ['-r', '-z', '--name-only'];
  const list = async (...command: string[]): Promise<string[]> =>
    (await git.run(command, options)).toString('utf8').split('\0').filter(Boolean);
  if (parent === undefined) return list('ls-tree', ...args, commit);
  try {
    return await list('diff-tree', ...args, '--no-renames', parent, commit);
  } catch {
    // a shallow repository on disk does not have the parent
    options.signal?.throwIfAborted();
    return list('ls-tree', ...args, commit);
  }
}

async function* ending(stream: Readable, ended: Promise<void>): AsyncGenerator<Uint8Array, void> {
  yield* stream as AsyncIterable<Buffer>;
  await ended;
}
