import { readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { LocalProviderConfig } from '../../../domain/config/providers.schema.ts';
import { isRepositoryId, type Repository, repositoryId } from '../../../domain/git/repository.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { findLayout, type Layout } from '../layout.ts';
import type { Provider, RepositoryName, SoughtRepository } from './provider.ts';

/**
 * Repositories in a folder, as `org/repo` or `org/project/repo`, bare or not. `repo.git` is named `repo`, unless both
 * exist. Hidden folders and folders inside repositories are skipped; symlinks are followed within the folder only.
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
    const [organization = '', project = null] = parents;
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

  /** Repositories directly in a folder; its other folders are projects while `depth` allows. */
  async function scan(parents: readonly string[], inside: string, depth: number): Promise<Repository[]> {
    const folders = await foldersIn(join(root, ...parents), inside);
    const seen = await Promise.all(
      folders.map(async (folder) => ({ folder, layout: await findLayout(join(root, ...parents, folder)) })),
    );
    const names = new Set(seen.flatMap(({ folder, layout }) => (layout ? [folder] : [])));
    const found = await Promise.all(
      seen.map(async ({ folder, layout }) => {
        if (layout === null) return depth > 0 ? scan([...parents, folder], inside, depth - 1) : [];
        const base = folder.replace(/\.git$/, '');
        return [await repositoryAt(parents, folder, base === '' || names.has(base) ? folder : base, layout)];
      }),
    );
    return found.flat();
  }

  async function list(signal?: AbortSignal): Promise<Repository[]> {
    signal?.throwIfAborted();
    const inside = await realRoot();
    const organizations = await foldersIn(root, inside);
    const found = await Promise.all(
      organizations.map(async (organization) =>
        (await findLayout(join(root, organization))) === null ? scan([organization], inside, 1) : [],
      ),
    );
    return found.flat().filter(({ id }) => isRepositoryId(id));
  }

  async function find({ organization, project, repository }: RepositoryName): Promise<Repository | null> {
    const inside = await realRoot();
    const parents = [organization, ...(project === null ? [] : [project])];
    if (!isRepositoryId(repositoryId(name, organization, project, repository))) return null;
    for (const folder of [repository, `${repository}.git`]) {
      const path = join(root, ...parents, folder);
      const layout = (await isInside(path, inside)) ? await findLayout(path) : null;
      if (layout !== null) return repositoryAt(parents, folder, repository, layout);
    }
    return null;
  }

  return {
    name,
    list: (_patterns, signal) => list(signal),
    find,
    async locate(requested, signal) {
      const named = await Promise.all(requested.map(find));
      const isLost = ({ uid }: SoughtRepository, at: number): boolean => named[at] === null && uid !== undefined;
      if (!requested.some(isLost)) return named;
      // a folder that was moved is still the same folder
      const all = new Map((await list(signal)).map((repository) => [repository.uid, repository]));
      return named.map((found, at) => found ?? all.get(requested[at]?.uid ?? 'none') ?? null);
    },
    credentials: () => Promise.resolve([]),
  };
}

/** The visible folders in a folder; symlinks are followed only if they stay inside. */
async function foldersIn(path: string, inside: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw new LonghaulError('DiscoveryFailed', `The folder ${path} cannot be read: make it readable for the worker.`, {
      cause: error,
    });
  });
  // a name that is not UTF-8 (U+FFFD here) cannot be part of an id, and cannot be opened by it
  const visible = entries.filter(({ name }) => !/^\.|^lost\+found$|\u{fffd}/u.test(name));
  const isFolder = await Promise.all(
    visible.map(async (entry) => {
      if (entry.isDirectory()) return true;
      const target = join(path, entry.name);
      return entry.isSymbolicLink() && (await isInside(target, inside)) && (await stat(target)).isDirectory();
    }),
  );
  return visible.filter((_, at) => isFolder[at]).map(({ name }) => name);
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
