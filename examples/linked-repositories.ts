import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { configuredRegistries, unpackPublished } from '../bench/published-package.ts';
import { commitHeader, importFolder, importRepository } from './git.ts';
import { ELIXIR_REPOSITORIES } from './elixir-repositories.ts';
import { type LinkedRepository, LINKED_REPOSITORIES } from './linked-packages.ts';

/** Packages that are fetched and made in parallel. */
const LANES = 4;
/** Registries have no reliable dates: all commits have this one. Seconds since 1970. */
const DAY = Date.UTC(2025, 0, 1, 12) / 1_000;

/** Where to make the repositories. */
export interface LinkedRepositoriesOptions {
  /** The folder for the repositories, as `<path>.git`. */
  readonly root: string;
  /** The folder with fetched archives. */
  readonly cacheDir: string;
  /** @default {@link LINKED_REPOSITORIES} */
  readonly repositories?: readonly LinkedRepository[];
  readonly signal?: AbortSignal;
  /** Called when a repository is there. */
  readonly onMade?: (path: string, made: number, total: number) => void;
}

/**
 * Makes bare repositories of published packages that depend on one another, and two Elixir projects, with one commit each
 * on `main`. Those that are there stay. Returns their paths, `remarkjs/remark`.
 *
 * Throws `ServerUnavailable` when a registry does not serve a package, and `InvalidInput` when its content is another one.
 */
export async function makeLinkedRepositories(options: LinkedRepositoriesOptions): Promise<readonly string[]> {
  const { root, repositories = LINKED_REPOSITORIES, signal, onMade } = options;
  await mkdir(root, { recursive: true });
  const total = repositories.length + ELIXIR_REPOSITORIES.length;
  let made = 0;
  const provide = async (path: string, fill: (folder: string) => Promise<void>): Promise<string> => {
    signal?.throwIfAborted();
    const gitDir = join(root, `${path}.git`);
    if ((await stat(gitDir).catch(() => null)) === null) {
      const scratch = await mkdtemp(join(root, '.unfinished-'));
      try {
        const [tree, unfinished] = [join(scratch, 'tree'), join(scratch, 'git')];
        await mkdir(tree);
        await fill(tree);
        await importRepository(unfinished, commitOf(path, tree), signal);
        await mkdir(dirname(gitDir), { recursive: true });
        await rename(unfinished, gitDir);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    }
    onMade?.(path, ++made, total);
    return path;
  };
  const lane = pLimit(LANES);
  return Promise.all([
    ...repositories.map((each) => lane(() => provide(each.path, (folder) => unpackAll(each, folder, options)))),
    ...ELIXIR_REPOSITORIES.map(({ path, files }) => lane(() => provide(path, (folder) => writeAll(files, folder)))),
  ]);
}

async function unpackAll(
  { path, packages }: LinkedRepository,
  folder: string,
  { cacheDir, signal }: LinkedRepositoriesOptions,
): Promise<void> {
  for (const pkg of packages) {
    const place = packages.length === 1 ? folder : join(folder, 'packages', pkg.name.replace('/', '-'));
    const unpacked = `${folder}-${pkg.name.replaceAll('/', '-')}`;
    const own = await unpackPublished(pkg, unpacked, { cacheDir, registries: configuredRegistries(), signal });
    await cp(own, place, { recursive: true });
    await rm(unpacked, { recursive: true });
  }
  if (packages.length === 1) return;
  // archives have no root of the monorepo
  const root = { name: path.replace('/', '-'), private: true, workspaces: ['packages/*'] };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(root, null, 2)}\n`);
}

async function writeAll(files: Readonly<Record<string, string>>, folder: string): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

async function* commitOf(path: string, tree: string): AsyncGenerator<string | Uint8Array> {
  yield commitHeader({ ref: 'refs/heads/main', mark: 1, message: `${path}\n`, time: DAY, parents: [] });
  yield* importFolder(tree);
}
