import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DEFAULT_REF } from '../../domain/git/snapshot.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { forgetUse, mirrorsFolder, noteUse } from './cache-limit.ts';
import { formatOf } from './diff.ts';
import {
  bareConfiguration,
  complaintOf,
  createBareRepository,
  type Git,
  type ObjectFormat,
  type ObjectStore,
} from '../git/git.ts';
import { share, withLock } from '../../platform/file-lock.ts';
import { sha256 } from '../../platform/sha256.ts';
import type { Access, Source } from './source.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { writeWhole } from '../../platform/whole-file.ts';

/** Options of a mirror. */
export interface MirrorOptions {
  readonly cacheDir: string;
  /** The repository's id. */
  readonly about: string;
  /** Git configuration with address and credentials. */
  readonly config: readonly (readonly [string, string])[];
  /** {@link Access.turn} */
  readonly turn: Access['turn'];
  /** Ends the fetch. */
  readonly signal?: AbortSignal | undefined;
}

/** The last fetched HEAD: git offers it to the remote as known. */
const HEAD_REF = 'refs/longhaul/head';
/** The same for branches. */
const BRANCH_REFS = 'refs/longhaul/heads';
/** Fetches objects only: no refs, tags, FETCH_HEAD or housekeeping. */
const FETCH = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];
const WITHOUT_BLOBS = '--filter=blob:none';
const WITH_BLOBS = '--no-filter';
/** A file in the mirror of a server that filters blobs and then gives none by name: every fetch includes them. */
const WHOLE = 'longhaul-whole';
/** Every fetch adds a pack; many packs slow reads down. */
const MOST_PACKS = 50;

const PARTIAL = `[remote "origin"]
	promisor = true
	partialclonefilter = blob:none
`;

/**
 * Opens the mirror of a remote repository: its commits and trees without blobs, in a bare repository of the cache.
 * Blobs are fetched on demand, many at once; of a server that does not support this, everything is. Creates the mirror if it is missing or incomplete. Close it.
 */
export async function openMirror(git: Git, format: ObjectFormat, options: MirrorOptions): Promise<Source> {
  const { cacheDir, about, signal } = options;
  const path = mirrorPath(cacheDir, about);
  const lock = `${path}.lock`;
  const store: ObjectStore = { objects: join(path, 'objects'), format };
  const configuration = `[extensions]\n\tpartialClone = origin\n${PARTIAL}`;
  const uses: (() => Promise<void>)[] = [];
  let isBlank = false;

  const discard = async (): Promise<void> => {
    const trash = temporaryPath(path);
    if (existsSync(path)) await rename(path, trash);
    await rm(trash, { recursive: true, force: true });
  };

  const makeUnlessThere = (): Promise<void> =>
    withLock(
      lock,
      async () => {
        await removeTemporaries(dirname(path));
        if (await isWhole(path, bareConfiguration(format) + configuration)) return;
        await discard();
        await createBareRepository(path, format, configuration);
        isBlank = true;
      },
      signal,
    );

  const fetch = (args: readonly string[], input = ''): Promise<void> =>
    withLock(
      lock,
      async () => {
        await removeUnfinishedPacks(join(path, 'objects', 'pack'));
        const filter = existsSync(join(path, WHOLE)) ? WITH_BLOBS : WITHOUT_BLOBS;
        let remark = '';
        const onRemark = (said: string): void => void (remark = said);
        const all = args.map((arg) => (arg === WITHOUT_BLOBS ? filter : arg));
        await options.turn(() => git.run(all, { ...options, gitDir: path, input, onRemark }));
        if (filter === WITH_BLOBS || NOT_FILTERED.test(remark)) isBlank = false;
        await consolidate(git, path, options);
      },
      signal,
    );
  /** False when the remote answered that it has no such object. */
  const fetchByName = async (args: readonly string[], oids: readonly string[]): Promise<boolean> => {
    try {
      await fetch([...args, '--stdin', 'origin'], `${oids.join('\n')}\n`);
      return true;
    } catch (error) {
      if (REFUSED.test(complaintOf(error))) return false;
      throw error;
    }
  };

  const mirror: Source = {
    store,
    async open() {
      // recorded before the lookup: from here on the mirror is not evicted
      uses.push(await share(path));
      try {
        await makeUnlessThere();
      } catch (error) {
        await uses.pop()?.();
        throw error;
      }
    },
    async close() {
      // on a full disk this fails; the result of the work itself matters more
      await noteUse(cacheDir, path).catch(() => undefined);
      await uses.pop()?.();
    },
    get isBlank() {
      return isBlank;
    },
    async fetchTips(tips) {
      const positions = await Promise.all(
        [...tips].map(async ([ref, commit]) => {
          const file = join(path, refInMirror(ref));
          return { file, commit, known: (await readFile(file, 'latin1').catch(() => '')).trim() };
        }),
      );
      const moved = positions.filter(({ commit, known }) => commit !== known);
      if (moved.length > 0) {
        await fetch([...FETCH, WITHOUT_BLOBS, 'origin', ...new Set(moved.map(({ commit }) => commit))]);
        for (const { file, commit } of moved) await writeWhole(file, `${commit}\n`, { durable: false });
      }
      // a caller that names branches names all indexed ones
      if (tips.size > 1) await forgetOtherBranches(path, tips);
    },
    fetchCommit: (commit) => fetchByName([...FETCH, WITHOUT_BLOBS], [commit]),
    async fetchBlobs(oids) {
      isBlank = false;
      return fetchByName(['-c', 'fetch.negotiationAlgorithm=noop', ...FETCH, WITHOUT_BLOBS], oids);
    },
    async fetchWhole() {
      // written first: if this process is killed, the next one asks for everything
      await writeWhole(join(path, WHOLE), '', { durable: false });
      const args = ['ls-remote', 'origin', 'HEAD', 'refs/heads/*'];
      const printed = await options.turn(() => git.run(args, { ...options, gitDir: path }));
      const tips = new Set(printed.toString('latin1').match(/^[0-9a-f]+/gm));
      await fetch([...FETCH, '--refetch', WITH_BLOBS, '--stdin', 'origin'], `${[...tips].join('\n')}\n`);
    },
    discard: () => withLock(lock, discard),
  };
  await mirror.open();
  return mirror;
}

/** Removes the mirror of a repository, if it exists, and what a killed process left of it. */
export async function forgetMirror(cacheDir: string, id: string): Promise<void> {
  const path = mirrorPath(cacheDir, id);
  if (!existsSync(dirname(path))) return;
  await withLock(`${path}.lock`, async () => {
    await removeTemporaries(dirname(path));
    await forgetUse(cacheDir, path);
    await rm(path, { recursive: true, force: true });
  });
}

/** The path of a repository's mirror: its id as folders, so that two ids never share one. */
export function mirrorPath(cacheDir: string, id: string): string {
  const folders = id.split('/').map((segment) =>
    encodeURIComponent(segment)
      .replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length))
      .replaceAll(/\.(?=git|lock)/g, '%2E'),
  );
  return `${join(mirrorsFolder(cacheDir), ...folders)}.git`;
}

/** The mirror's name of a ref. For every branch name it is a plain name in one folder. */
function refInMirror(ref: string): string {
  if (ref === DEFAULT_REF) return HEAD_REF;
  return `${BRANCH_REFS}/${sha256(ref).slice(0, 32)}`;
}

/** Removes the mirror's refs of branches that are no longer indexed. */
async function forgetOtherBranches(path: string, tips: ReadonlyMap<string, string>): Promise<void> {
  const current = new Set([...tips.keys()].map((ref) => join(path, refInMirror(ref))));
  const folder = join(path, BRANCH_REFS);
  const files = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  await Promise.all(files.filter((file) => !current.has(file)).map((file) => rm(file, { force: true })));
}

/** The remote answered that it does not have the object, or does not give it by name (the last one is JGit's). */
const REFUSED =
  /not our ref|unadvertised object|not a valid object|couldn't find remote ref|want [0-9a-f]{40,64} not valid/i;
/** The remote sent everything instead of leaving out blobs. */
const NOT_FILTERED = /filtering not recognized by server/i;
/** Errors that are not caused by the mirror: the network, the remote, the machine. */
const ELSEWHERE =
  /unable to access|could not resolve|could not read from remote|connection|timed out|early EOF|RPC failed|hung up|No space left/i;

/** True when the objects of a mirror are damaged, not the connection to the remote: recreating it can help. */
export function isDamage(error: unknown): boolean {
  return error instanceof LonghaulError && error.type === 'GitFailed' && !ELSEWHERE.test(complaintOf(error));
}

async function isWhole(path: string, configuration: string): Promise<boolean> {
  const found = await Promise.all([
    readFile(join(path, 'config'), 'utf8').catch(() => null),
    readFile(join(path, 'HEAD'), 'utf8').catch(() => null),
    readdir(join(path, 'objects')).catch(() => null),
    readdir(join(path, 'refs')).catch(() => null),
  ]);
  if (found.includes(null) || found[0] !== configuration) return false;
  const head = await readFile(join(path, HEAD_REF), 'latin1').catch(() => null);
  return head === null || formatOf(head.trim()) !== null;
}

/** Removes what a killed git left behind; only the holder of the lock writes here. */
async function removeUnfinishedPacks(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => name.startsWith('tmp_'));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}

async function consolidate(git: Git, path: string, { about, signal }: MirrorOptions): Promise<void> {
  const files = await readdir(join(path, 'objects', 'pack')).catch(() => []);
  if (files.filter((name) => name.endsWith('.pack')).length <= MOST_PACKS) return;
  await git.run(['repack', '-a', '-d', '-q', '--no-write-bitmap-index'], { about, signal, gitDir: path });
}
