import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { LonghaulError } from '../domain/shared/failures.ts';
import { FLEET_PACKAGES } from './fleet-packages.ts';
import type { FleetPackage } from './fleet-packages.ts';
import { annotatedTag, commitHeader, git, importFolder, importRepository } from './git.ts';

/** Packages that are fetched and made in parallel: npm mostly waits for the network. */
const LANES = 4;
/** npm has no reliable publishing dates: versions are one day apart, from this day on. */
const FIRST_DAY = Date.UTC(2024, 0, 1, 12) / 1_000;
const DAY = 86_400;
/**
 * The folder below root and cache where things are created before they are moved into place. One run at a time uses it.
 */
const UNFINISHED = '.unfinished';

/** Progress of {@link makeFleet}. */
export interface FleetProgress {
  /** The repository's path below the root. */
  readonly path: string;
  /** `fetching` and `making` begin a step; `made` and `reused` (it existed before) finish a repository. */
  readonly step: 'fetching' | 'making' | 'made' | 'reused';
  /** Finished repositories, of `total`. */
  readonly finished: number;
  readonly total: number;
}

/** Where to create the fleet, and from which packages. */
export interface ExampleFleetOptions {
  /** The folder for the repositories, as `<path>.git`. */
  readonly root: string;
  /** The folder where packages are cached, so that the next fleet fetches nothing. */
  readonly cacheDir: string;
  /** Default: {@link FLEET_PACKAGES}. */
  readonly packages?: readonly FleetPackage[];
  readonly onProgress?: (progress: FleetProgress) => void;
  readonly signal?: AbortSignal;
}

/** Result of {@link makeFleet}. */
export interface Fleet {
  readonly made: number;
  readonly reused: number;
  /** Packages that were not in the cache. */
  readonly fetched: number;
}

/**
 * Creates real bare repositories with real history from published npm packages: one commit and one annotated tag per
 * version, `main` at the early version. A complete repository is left unchanged, wherever its `main` points; an
 * incomplete one, or one made of other versions, is created again.
 *
 * Throws `ServerUnavailable` when npm cannot fetch a package, and `InvalidInput` when one is damaged.
 */
export async function makeFleet(options: ExampleFleetOptions): Promise<Fleet> {
  const { root, packages = FLEET_PACKAGES, onProgress } = options;
  const firstFailure = new AbortController();
  const signal = AbortSignal.any([firstFailure.signal, ...(options.signal ? [options.signal] : [])]);
  const count = { made: 0, reused: 0, fetched: 0 };
  const notify = (path: string, step: FleetProgress['step']): void =>
    onProgress?.({ path, step, finished: count.made + count.reused, total: packages.length });

  async function provide(pkg: FleetPackage): Promise<void> {
    signal.throwIfAborted();
    if (await isComplete(root, pkg)) {
      count.reused++;
      return notify(pkg.path, 'reused');
    }
    notify(pkg.path, 'fetching');
    const fetched = await fetchVersions(pkg, options.cacheDir, signal);
    count.fetched += fetched;
    notify(pkg.path, 'making');
    await makeRepository(pkg, options, signal);
    count.made++;
    notify(pkg.path, 'made');
  }

  await clearUnfinished(options);
  const lane = pLimit(LANES);
  await Promise.allSettled(
    packages.map((pkg) => lane(() => provide(pkg).catch((error: unknown) => firstFailure.abort(error)))),
  );
  await clearUnfinished(options);
  signal.throwIfAborted();
  return count;
}

async function clearUnfinished({ root, cacheDir }: ExampleFleetOptions): Promise<void> {
  for (const folder of [root, cacheDir]) await rm(join(folder, UNFINISHED), { recursive: true, force: true });
}

/** Moves `main` of every repository to its newest version. Returns how many moved. */
export async function advanceFleet(
  options: Pick<ExampleFleetOptions, 'root' | 'packages' | 'signal'>,
): Promise<number> {
  return moveFleet(options, newestVersion);
}

/** Moves `main` of every repository back to its early version, like a force-push. Returns how many moved. */
export async function rewindFleet(options: Pick<ExampleFleetOptions, 'root' | 'packages' | 'signal'>): Promise<number> {
  return moveFleet(options, (pkg) => pkg.early);
}

async function moveFleet(
  { root, packages = FLEET_PACKAGES, signal }: Pick<ExampleFleetOptions, 'root' | 'packages' | 'signal'>,
  version: (pkg: FleetPackage) => string,
): Promise<number> {
  const moved = await pLimit(LANES).map(packages, async (pkg) => {
    const dir = `--git-dir=${gitDirOf(root, pkg)}`;
    const at = await git([dir, 'rev-parse', 'main', `v${version(pkg)}^{commit}`], signal);
    const [before, after] = at.split('\n');
    if (after === undefined || before === after) return false;
    await git([dir, 'update-ref', 'refs/heads/main', after], signal);
    return true;
  });
  return moved.filter(Boolean).length;
}

function gitDirOf(root: string, pkg: FleetPackage): string {
  return join(root, `${pkg.path}.git`);
}

function newestVersion(pkg: FleetPackage): string {
  const newest = pkg.versions.at(-1);
  if (newest === undefined)
    throw new LonghaulError('InvalidInput', `The package ${pkg.name} is listed without versions.`);
  return newest;
}

async function isComplete(root: string, pkg: FleetPackage): Promise<boolean> {
  const gitDir = gitDirOf(root, pkg);
  if (!(await exists(gitDir))) return false;
  const tags = await git([`--git-dir=${gitDir}`, 'for-each-ref', '--format=%(refname:short)', 'refs/tags']).catch(
    () => 'not a repository',
  );
  return sameSet(
    tags.split('\n'),
    pkg.versions.map((version) => `v${version}`),
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set(a).isSubsetOf(new Set(b));
}

/** Fetches the versions that are not cached with one call of npm's own client, and returns their number. */
async function fetchVersions(pkg: FleetPackage, cacheDir: string, signal: AbortSignal): Promise<number> {
  const missing: string[] = [];
  for (const version of pkg.versions) if (!(await exists(tarball(cacheDir, pkg, version)))) missing.push(version);
  if (missing.length === 0) return 0;

  const arriving = join(cacheDir, UNFINISHED, pkg.path);
  await mkdir(arriving, { recursive: true });
  try {
    const [npm, ...before] = npmCommand();
    const specs = missing.map((version) => `${pkg.name}@${version}`);
    const args = [...before, 'pack', '--silent', '--ignore-scripts', '--pack-destination', arriving, ...specs];
    await execa(npm, args, { cwd: arriving, cancelSignal: signal });
    for (const version of missing) {
      await rename(tarball(arriving, pkg, version), tarball(cacheDir, pkg, version));
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new LonghaulError(
      'ServerUnavailable',
      `npm could not fetch ${pkg.name} for the demo fleet. Check that this machine can reach its npm registry, then start again.`,
      { cause },
    );
  }
  return missing.length;
}

function npmCommand(): [string, ...string[]] {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('.js') === true ? [process.execPath, cli] : ['npm'];
}

/** The file name that `npm pack` gives a version. */
function tarball(dir: string, pkg: FleetPackage, version: string): string {
  return join(dir, `${pkg.name.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

async function makeRepository(
  pkg: FleetPackage,
  { root, cacheDir }: ExampleFleetOptions,
  signal: AbortSignal,
): Promise<void> {
  const unfinished = join(root, UNFINISHED, `${pkg.path}.git`);
  const unpacked = join(root, UNFINISHED, 'unpacked', pkg.path);
  for (const version of pkg.versions) {
    await unpack(tarball(cacheDir, pkg, version), join(unpacked, version), signal);
  }
  await mkdir(dirname(unfinished), { recursive: true });
  await importRepository(unfinished, historyOf(pkg, unpacked), signal);
  const gitDir = gitDirOf(root, pkg);
  await rm(gitDir, { recursive: true, force: true });
  await mkdir(dirname(gitDir), { recursive: true });
  await rename(unfinished, gitDir);
}

async function* historyOf(pkg: FleetPackage, unpacked: string): AsyncGenerator<string | Uint8Array> {
  for (const [index, version] of pkg.versions.entries()) {
    const mark = index + 1;
    const time = FIRST_DAY + index * DAY;
    const parents = index === 0 ? [] : [`:${index}`];
    const folder = join(unpacked, version);

    yield commitHeader({ ref: 'refs/heads/main', mark, message: `${pkg.name} ${version}\n`, time, parents });
    yield 'deleteall\n';
    yield* importFolder(folder);
    yield annotatedTag(`v${version}`, `:${mark}`, `${pkg.name} ${version}\n`, time);
  }
  yield `reset refs/heads/main\nfrom :${pkg.versions.indexOf(pkg.early) + 1}\n\n`;
}

async function unpack(archive: string, folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true });
  const args = ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner'];
  try {
    await execa('tar', args, { cancelSignal: signal });
  } catch (cause) {
    signal.throwIfAborted();
    await rm(archive, { force: true });
    throw new LonghaulError(
      'InvalidInput',
      `${archive} was damaged and has been removed. Start again to fetch it again.`,
      {
        cause,
      },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
