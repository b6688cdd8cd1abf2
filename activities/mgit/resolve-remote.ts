import { join } from 'node:path';
import { isBranchName, matchesBranch, refOfBranch } from '../../domain/git/branch.ts';
import type { Head } from '../../domain/git/head.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { isNullOid, nullOid } from './diff.ts';
import { complaintOf, type Git, type ObjectFormat } from '../git/git.ts';
import { findLayout, isPartialClone, type Layout, readBranches, readHead } from './layout.ts';
import { isDamage, openMirror } from './mirror.ts';
import type { Access, Source } from './source.ts';

/**
 * Where HEAD is, and the requested branches: names, or patterns of names. If HEAD names a branch that is not there, the
 * only branch counts as HEAD. Throws `HeadMissing` when there are several, `RepositoryNotFound`,
 * `AuthenticationFailed`, `GitFailed`.
 */
export async function resolveHead(git: Git, access: Access, branches: readonly string[] = []): Promise<Head> {
  const { path } = access.remote;
  const isWanted = (name: string): boolean => isBranchName(name) && matchesBranch(branches, name);
  if (path === null) return askGit(git, access, branches, isWanted);
  const layout = await layoutOf(access, path);
  const plain = await readHead(layout);
  if (plain !== null && isNullOid(plain.commit)) {
    const all = await readBranches(layout, isBranchName);
    if (all !== null && all.size > 0) return withBranches(onlyBranch(access, all, plain.branch), wanted(all, isWanted));
  }
  const found = branches.length === 0 ? new Map<string, string>() : await readBranches(layout, isWanted);
  if (plain !== null && found !== null) return branches.length === 0 ? plain : withBranches(plain, found);
  const head = await askGit(git, access, branches, isWanted);
  // git omits a ref that it cannot read: the repository may not be empty
  if (!isNullOid(head.commit)) return head;
  throw new LonghaulError('SourceUnreadable', `Git cannot read HEAD of ${access.id} at ${path}.`);
}

/**
 * The failure to read objects of a repository: `GitFailed` for a remote one, whose remedy is about remotes; for a
 * folder `PartialClone` or `SourceUnreadable`.
 */
export async function unreadable(
  { id, remote: { path } }: Access,
  why: string,
  cause?: unknown,
): Promise<LonghaulError> {
  if (path === null) return new LonghaulError('GitFailed', why, { cause });
  const layout = await findLayout(path).catch(() => null);
  if (layout !== null && (await isPartialClone(layout).catch(() => false))) {
    const message = `${id} at ${path} is a partial clone (git clone --filter), which does not have all objects: ${why}`;
    return new LonghaulError('PartialClone', message, { cause });
  }
  return new LonghaulError('SourceUnreadable', `${id} at ${path} cannot be read: ${why}`, { cause });
}

/**
 * Opens the objects of a repository. A local one is read in place, without its configuration, so there is nothing to
 * fetch; of a remote one the cache has a mirror.
 */
async function openSource(git: Git, cacheDir: string, access: Access, format: ObjectFormat): Promise<Source> {
  const { id, remote, signal } = access;
  if (remote.path === null) {
    const { turn } = access;
    const config = await remoteConfig(access);
    return openMirror(git, format, { cacheDir, about: id, config, turn, signal });
  }
  const { commonDir } = await layoutOf(access, remote.path);
  return {
    store: { objects: join(commonDir, 'objects'), format },
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    isBlank: false,
    fetchTips: () => Promise.resolve(),
    fetchCommit: () => Promise.resolve(false),
    fetchBlobs: () => Promise.resolve(false),
    fetchWhole: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

/** Runs a callback with a repository's objects; if a mirror is damaged, recreates it and tries once more. */
export async function withSource<Result>(
  git: Git,
  cacheDir: string,
  access: Access,
  format: ObjectFormat,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  const source = await openSource(git, cacheDir, access, format);
  const wasBlank = source.isBlank;
  try {
    return await work(source);
  } catch (error) {
    if (access.remote.path !== null) {
      const said = complaintOf(error);
      throw said === '' ? error : await unreadable(access, said, error);
    }
    if (wasBlank || !isDamage(error)) throw error;
    await source.discard();
    await source.open();
    try {
      return await work(source);
    } finally {
      await source.close();
    }
  } finally {
    await source.close();
  }
}

async function layoutOf({ id }: Access, path: string): Promise<Layout> {
  const layout = await findLayout(path);
  if (layout === null) throw new LonghaulError('RepositoryNotFound', `There is no git repository at ${path} (${id}).`);
  return layout;
}

/** Adds the branches to a head, without the branch that HEAD points to. */
function withBranches(head: Head, found: ReadonlyMap<string, string>): Head {
  const others = [...found].filter(([name]) => name !== head.branch);
  return { ...head, branches: new Map(others.map(([name, commit]) => [refOfBranch(name), commit])) };
}

async function askGit(
  git: Git,
  access: Access,
  branches: readonly string[],
  isWanted: (name: string) => boolean,
): Promise<Head> {
  const { id: about, signal } = access;
  const config = await remoteConfig(access);
  // a URL in the configuration is never read as an option
  let redirectedTo: string | undefined;
  const onRemark = (said: string): void => {
    redirectedTo = /^warning: redirecting to (\S+)/m.exec(said)?.[1];
  };
  const list = async (...refs: string[]): Promise<string[]> => {
    const args = ['ls-remote', '--symref', 'origin', ...refs];
    const printed = await access.turn(() => git.run(args, { about, config, signal, onRemark }));
    return printed.toString('utf8').split('\n');
  };
  const lines = await list('HEAD', ...(branches.length === 0 ? [] : [ALL_BRANCHES]));
  const branch = lines.map((line) => /^ref: refs\/heads\/(.+)\tHEAD$/.exec(line)?.[1]).find(Boolean) ?? null;
  const commit = lines.map((line) => /^([0-9a-f]+)\tHEAD$/.exec(line)?.[1]).find(Boolean);
  // git does not print a HEAD that names a branch that is not there
  const shown = commit === undefined && branches.length === 0 ? await list(ALL_BRANCHES) : lines;
  const all = new Map(
    shown.flatMap((line): [string, string][] => {
      const [, oid = '', name = ''] = /^([0-9a-f]+)\trefs\/heads\/(.+)$/.exec(line) ?? [];
      return isBranchName(name) ? [[name, oid]] : [];
    }),
  );
  const redirected = redirectedTo === undefined ? {} : { redirectedTo };
  const head =
    commit === undefined && all.size > 0
      ? { ...onlyBranch(access, all, branch), ...redirected }
      : { commit: commit ?? nullOid('sha1'), branch, ...redirected };
  return branches.length === 0 ? head : withBranches(head, wanted(all, isWanted));
}

const ALL_BRANCHES = 'refs/heads/*';
/** Branches that a message names. */
const MOST_NAMED = 10;

/** The only branch of a repository whose HEAD names one that is not there. Throws `HeadMissing` when it has several. */
function onlyBranch({ id }: Access, branches: ReadonlyMap<string, string>, missing: string | null): Head {
  const [[branch, commit] = ['', ''], ...others] = [...branches].sort(([a], [b]) => (a < b ? -1 : 1));
  if (others.length === 0) return { commit, branch };
  const named = [branch, ...others.slice(0, MOST_NAMED - 1).map(([name]) => name)].join(', ');
  throw new LonghaulError(
    'HeadMissing',
    `HEAD of ${id} names ${missing === null ? 'a branch' : `the branch ${missing}`}, which is not there; its branches: ` +
      `${named}${others.length >= MOST_NAMED ? `, and ${others.length + 1 - MOST_NAMED} more` : ''}.`,
  );
}

function wanted(branches: ReadonlyMap<string, string>, isWanted: (name: string) => boolean): Map<string, string> {
  return new Map([...branches].filter(([name]) => isWanted(name)));
}

/** Git configuration with the address of a remote and, for a server, the credentials. */
export async function remoteConfig({ remote, credentials }: Access): Promise<readonly (readonly [string, string])[]> {
  return [['remote.origin.url', remote.url], ...(remote.path === null ? await credentials() : [])];
}
