import { readdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { LocalProviderConfig } from '../../../domain/config.schema.ts';
import { isRepositoryId, type Repository, repositoryId } from '../../../domain/catalog/repository.ts';
import { LonghaulError } from '../../../domain/failures.ts';
import { findLayout, type Layout } from '../layout.ts';
import type { Provider, RepositoryName } from './provider.ts';

/**
 * Repositories in a folder, as `org/repo` or `org/project/repo`, bare or not. `repo.git` is named `repo`, unless both are
 * there. Hidden folders and what is inside repositories are not looked at; symlinks are followed within the folder only.
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

  function repositoryAt(parents: readonly string[], folder: string, base: string, layout: Layout): Repository {
    const [organization = '', project = null] = parents;
    return {
      id: repositoryId(name, organization, project, base),
      provider: name,
      organization,
      project,
      repository: base,
      cloneUrl: join(root, ...parents, folder),
      defaultBranch: /^ref: refs\/heads\/(.+?)\n?$/.exec(layout.head)?.[1] ?? null,
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
        return [repositoryAt(parents, folder, base === '' || names.has(base) ? folder : base, layout)];
      }),
    );
    return found.flat();
  }

  return {
    name,
    async list(_patterns, signal) {
      signal?.throwIfAborted();
      const inside = await realRoot();
      const organizations = await foldersIn(root, inside);
      const found = await Promise.all(
        organizations.map(async (organization) =>
          (await findLayout(join(root, organization))) === null ? scan([organization], inside, 1) : [],
        ),
      );
      return found.flat().filter(({ id }) => isRepositoryId(id));
    },
    async find({ organization, project, repository }: RepositoryName) {
      const inside = await realRoot();
      const parents = [organization, ...(project === null ? [] : [project])];
      if (!isRepositoryId(repositoryId(name, organization, project, repository))) return null;
      for (const folder of [repository, `${repository}.git`]) {
        const path = join(root, ...parents, folder);
        const layout = (await isInside(path, inside)) ? await findLayout(path) : null;
        if (layout !== null) return repositoryAt(parents, folder, repository, layout);
      }
      return null;
    },
    credentials: () => Promise.resolve([]),
  };
}

/** The visible folders in a folder, through symlinks only where these stay inside. */
async function foldersIn(path: string, inside: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw new LonghaulError('DiscoveryFailed', `The folder ${path} cannot be read: make it readable for the worker.`, {
      cause: error,
    });
  });
  // a name that is not UTF-8 (U+FFFD here) can be no part of an id, and cannot be opened by it either
  const visible = entries.filter(({ name }) => !/^\.|^lost\+found$|\u{fffd}/u.test(name));
  const kept = await Promise.all(
    visible.map(async (entry) => {
      if (entry.isDirectory()) return true;
      const target = join(path, entry.name);
      return entry.isSymbolicLink() && (await isInside(target, inside)) && (await stat(target)).isDirectory();
    }),
  );
  return visible.filter((_, at) => kept[at]).map(({ name }) => name);
}

async function isInside(path: string, folder: string): Promise<boolean> {
  const real = await realpath(path).catch(() => null);
  return real !== null && real.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
