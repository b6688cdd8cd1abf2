import { readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { LocalProviderConfig } from '../../../domain/config/providers.schema.ts';
import { isPlainSegment, isRepositoryId, type Repository, repositoryId } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { findLayout, type Layout } from '../layout.ts';
import type { OnPassedOver, Provider, RepositoryName, SoughtRepository } from './provider.ts';

/** The organization of repositories in the root itself: every id has one. */
const NO_ORGANIZATION = '_';
/** Folders between the root and a repository: as deep as GitLab nests groups. */
const MOST_FOLDERS = 20;

/** Folders with fewer above them fail the listing when they cannot be read: their repositories are not gone. */
const MUST_BE_READABLE = 3;

/** A folder, and where it really is. */
interface Folder {
  readonly name: string;
  /** Its path without symlinks. */
  readonly real: string;
}

/**
 * Repositories in a folder, as `org/repo` or `org/project/repo`, bare or not. The folders below the second are part of
 * the project, joined with colons, as GitLab's subgroups; a repository in the root itself has the organization `_`.
 * `repo.git` is named `repo`, unless both exist. Hidden folders and folders inside repositories are skipped; symlinks
 * are followed within the folder only.
 */
export function createLocalProvider({ name, root: given }: LocalProviderConfig): Provider {
  const root = resolve(given === '~' || given.startsWith('~/') ? join(homedir(), given.slice(1)) : given);

  async function realRoot(): Promise<string> {
    try {
      return await realpath(root);
    } catch (error) {
      throw new LonghaulError('DiscoveryFailed', `The folder ${root} of provider ${name} cannot be read.`, {
        cause: error,
      });
    }
  }

  async function repositoryAt(
    parents: readonly string[],
    folder: string,
    base: string,
    layout: Layout,
  ): Promise<Repository> {
    const uid = await uidOf(layout);
    const [organization = NO_ORGANIZATION, ...groups] = parents;
    const project = groups.length === 0 ? null : groups.join(':');
    return {
      id: repositoryId(name, organization, project, base),
      provider: name,
      organization,
      project,
      repository: base,
      cloneUrl: join(root, ...parents, folder),
      defaultBranch: /^ref: refs\/heads\/(.+?)\n?$/.exec(layout.head)?.[1] ?? null,
      ...(uid === null ? {} : { uid }),
    };
  }

  /** Repositories in a folder and below it. `above` are the real paths of the folders that lead there, its own last. */
  async function scan(
    parents: readonly string[],
    inside: string,
    above: readonly string[],
    passOver: OnPassedOver,
  ): Promise<Repository[]> {
    const path = join(root, ...parents);
    // deep down there may be anything, such as the data of a server
    const readable = <Result>(at: string, work: Promise<Result>): Promise<Result | null> =>
      parents.length < MUST_BE_READABLE ? work : work.catch((error: unknown) => passUnreadable(at, error, passOver));
    const folders = (await readable(path, foldersIn(path, above.at(-1) ?? inside, inside, passOver))) ?? [];
    const seen = await Promise.all(
      folders.map(async (folder) => {
        const at = join(path, folder.name);
        return { folder, layout: await readable(at, findLayout(at)) };
      }),
    );
    const names = new Set(seen.flatMap(({ folder, layout }) => (layout ? [folder.name] : [])));
    const found = await Promise.all(
      seen.map(async ({ folder: { name: folder, real }, layout }) => {
        const groups = [...parents, folder];
        if (layout !== null) {
          const base = folder.replace(/\.git$/, '');
          return [await repositoryAt(parents, folder, base === '' || names.has(base) ? folder : base, layout)];
        }
        // a symlink to a folder above it
        if (above.includes(real)) return [];
        if (groups.length <= MOST_FOLDERS) return scan(groups, inside, [...above, real], passOver);
        passOver(join(path, folder), `it is more than ${MOST_FOLDERS} folders below ${root}`);
        return [];
      }),
    );
    return found.flat();
  }

  /** The repository that the root itself is; null when it is none. */
  async function itself(layout: Layout | null): Promise<Repository | null> {
    return layout === null ? null : repositoryAt([], '', basename(root).replace(/(?<=.)\.git$/, ''), layout);
  }

  async function list(passOver: OnPassedOver, signal?: AbortSignal): Promise<Repository[]> {
    signal?.throwIfAborted();
    const inside = await realRoot();
    const layout = await findLayout(root);
    const own = await itself(layout);
    const below = layout?.gitDir === root ? [] : await scan([], inside, [inside], passOver);
    const found = new Map<string, Repository>();
    for (const repository of [...below.sort(byDepth), ...(own === null ? [] : [own])]) {
      const { id, cloneUrl } = repository;
      const other = found.get(id);
      if (other !== undefined) passOver(cloneUrl, `${other.cloneUrl} has the same id ${id}`);
      else if (
        !placesOf(repository).some((parents) => dirname(cloneUrl) === join(root, ...parents)) &&
        repository !== own
      )
        passOver(cloneUrl, 'a folder above it has a colon in its name');
      else found.set(id, repository);
    }
    return [...found.values()];
  }

  async function find(sought: RepositoryName): Promise<Repository | null> {
    const { organization, project, repository } = sought;
    const inside = await realRoot();
    if (!isRepositoryId(repositoryId(name, organization, project, repository))) return null;
    for (const parents of placesOf(sought)) {
      for (const folder of [repository, `${repository}.git`]) {
        const path = join(root, ...parents, folder);
        const layout = (await isInside(path, inside)) ? await findLayout(path) : null;
        if (layout !== null) return repositoryAt(parents, folder, repository, layout);
      }
    }
    const own = organization === NO_ORGANIZATION && project === null ? await itself(await findLayout(root)) : null;
    return own?.repository === repository ? own : null;
  }

  return {
    name,
    list: (_patterns, signal, onPassedOver = () => undefined) => list(onPassedOver, signal),
    find,
    async locate(requested, signal) {
      const named = await Promise.all(requested.map(find));
      const isLost = ({ uid }: SoughtRepository, at: number): boolean => named[at] === null && uid !== undefined;
      if (!requested.some(isLost)) return named;
      // a folder that was moved is still the same folder
      const all = new Map((await list(() => undefined, signal)).map((repository) => [repository.uid, repository]));
      return named.map((found, at) => found ?? all.get(requested[at]?.uid ?? 'none') ?? null);
    },
    credentials: () => Promise.resolve([]),
  };
}

function passUnreadable(path: string, error: unknown, passOver: OnPassedOver): null {
  if (!(error instanceof LonghaulError)) throw error;
  passOver(path, 'it cannot be read');
  return null;
}

/** The order in which `find` looks for an id. */
function byDepth(a: Repository, b: Repository): number {
  return a.cloneUrl.split(sep).length - b.cloneUrl.split(sep).length;
}

/** The folders, below the root, that may contain the repository with this name: those with fewer segments first. */
function placesOf({ organization, project }: RepositoryName): string[][] {
  const plain = [organization, ...(project === null ? [] : [project])];
  if (project === null) return organization === NO_ORGANIZATION ? [[], plain] : [plain];
  const groups = project.split(':');
  // not out of the folder
  const isNested = groups.length > 1 && groups.every(isPlainSegment);
  return isNested ? [plain, [organization, ...groups]] : [plain];
}

/** The visible folders in a folder, whose real path is `real`; symlinks are followed only if they stay inside. */
async function foldersIn(path: string, real: string, inside: string, passOver: OnPassedOver): Promise<Folder[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw new LonghaulError('DiscoveryFailed', `The folder ${path} cannot be read: make it readable for the worker.`, {
      cause: error,
    });
  });
  const visible = entries.filter(({ name }) => !/^\.|^lost\+found$/.test(name));
  const folders = await Promise.all(
    visible.map(async (entry): Promise<Folder | null> => {
      const { name } = entry;
      const target = join(path, name);
      if (entry.isDirectory()) {
        if (!name.includes('\u{fffd}')) return { name, real: join(real, name) };
        passOver(target, 'its name is not UTF-8');
        return null;
      }
      if (!entry.isSymbolicLink() || !(await isInside(target, inside))) return null;
      return (await stat(target)).isDirectory() ? { name, real: await realpath(target) } : null;
    }),
  );
  return folders.filter((folder) => folder !== null);
}

/**
 * Device, inode and creation time of the repository's folder: the same after a move within one file system. Null where
 * the file system has no creation time, because inode numbers are reused.
 */
async function uidOf({ gitDir }: Layout): Promise<string | null> {
  const { dev, ino, birthtimeNs } = await stat(gitDir, { bigint: true });
  return birthtimeNs === 0n ? null : `${dev}:${ino}:${birthtimeNs}`;
}

async function isInside(path: string, folder: string): Promise<boolean> {
  const real = await realpath(path).catch(() => null);
  return real !== null && real.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
