import { DEFAULT_REF, type Snapshot } from '../../domain/git/snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { formatOf, isNullOid, readCommit } from './diff.ts';
import type { Git } from '../git/git.ts';
import { resolveHead, withSource } from './resolve-remote.ts';
import type { Access, Source } from './source.ts';

/**
 * The snapshot at a commit, whose oid may be abbreviated. Throws `InvalidInput` when the repository does not have it.
 */
export async function findSnapshot(git: Git, cacheDir: string, access: Access, commit: string): Promise<Snapshot> {
  const { id: about, signal } = access;
  if (!/^[0-9a-f]{4,64}$/.test(commit)) refuse(commit, about);
  const head = await resolveHead(git, access);
  return withSource(git, cacheDir, access, formatOf(head.commit) ?? 'sha1', async (source) => {
    if (!isNullOid(head.commit)) await source.fetchTips(new Map([[DEFAULT_REF, head.commit]]));
    const full = (await resolve(git, source, commit, access)) ?? refuse(commit, about);
    const { tree, timestamp } = await readCommit(git, source.store, full, { about, signal });
    return { commit: full, tree, timestamp, branch: null };
  });
}

async function resolve(
  git: Git,
  source: Source,
  commit: string,
  { id: about, signal }: Access,
): Promise<string | null> {
  const { store } = source;
  const known = async (): Promise<string | null> => {
    try {
      const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`];
      return (await git.run(args, { about, signal, store })).toString('latin1').trim();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof LonghaulError) return null;
      throw error;
    }
  };
  const found = await known();
  if (found !== null || formatOf(commit) !== store.format) return found;
  return (await source.fetchCommit(commit)) ? known() : null;
}

function refuse(commit: string, about: string): never {
  throw new LonghaulError('InvalidInput', `${about} has no commit ${commit}: give its hexadecimal id.`);
}
