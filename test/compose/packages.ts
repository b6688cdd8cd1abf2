import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { exists, messageOf } from './files.ts';
import type { Surroundings } from './surroundings.ts';
import { Unavailable } from './unavailable.ts';

/** Programs that were unpacked into a folder instead of being installed, with the environment for running them. */
export interface UnpackedPrograms {
  readonly env: Record<string, string>;
  /** The folder that stands for `/`. */
  readonly root: string;
}

/**
 * Debian packages and their missing dependencies, unpacked below `cacheFolder` once: nothing is installed, no service
 * is started, and removing the folder removes them. Throws {@link Unavailable} when apt-get cannot provide them.
 */
export async function unpackPackages(
  names: readonly string[],
  { cacheFolder, say, signal }: Surroundings,
): Promise<UnpackedPrograms> {
  const folder = path.join(cacheFolder, `packages-${names.join('+')}`);
  if (!(await exists(path.join(folder, 'complete')))) {
    say(`fetching ${names.join(', ')} by apt-get`);
    await unpack(names, folder, signal);
  }
  return { root: path.join(folder, 'root'), env: environmentFor(path.join(folder, 'root')) };
}

async function unpack(names: readonly string[], folder: string, signal: AbortSignal): Promise<void> {
  const making = `${folder}.part`;
  await rm(making, { recursive: true, force: true });
  const archives = path.join(making, 'archives');
  const root = path.join(making, 'root');
  await mkdir(path.join(archives, 'partial'), { recursive: true });
  await mkdir(root);
  await download(names, archives, signal);
  for (const file of await readdir(archives)) {
    if (file.endsWith('.deb')) await execa('dpkg-deb', ['--extract', path.join(archives, file), root]);
  }
  await addAlternatives(root);
  await rm(archives, { recursive: true });
  await writeFile(path.join(making, 'complete'), '');
  await rm(folder, { recursive: true, force: true });
  await rename(making, folder);
}

async function download(names: readonly string[], archives: string, signal: AbortSignal): Promise<void> {
  const options = ['--yes', '--quiet', '--no-install-recommends', '--download-only'];
  const install = ['install', ...options, '-o', `Dir::Cache::archives=${archives}`, ...names];
  const how = { env: { DEBIAN_FRONTEND: 'noninteractive' }, cancelSignal: signal };
  try {
    // The lists may be missing or outdated: then they are updated.
    const { failed } = await execa('apt-get', install, { ...how, reject: false });
    if (!failed) return;
    await execa('apt-get', ['update', '--quiet'], how);
    await execa('apt-get', install, how);
  } catch (error) {
    signal.throwIfAborted();
    throw new Unavailable(`apt-get cannot fetch ${names.join(', ')}: ${messageOf(error)}`, { cause: error });
  }
}

/** Creates the links that Debian packages create only during installation: `iptables` is one of two programs. */
async function addAlternatives(root: string): Promise<void> {
  const links = [
    ['usr/sbin/iptables', 'xtables-nft-multi'],
    ['usr/sbin/ip6tables', 'xtables-nft-multi'],
  ] as const;
  for (const [link, target] of links) {
    const file = path.join(root, link);
    if (await exists(path.join(path.dirname(file), target))) await symlink(target, file);
  }
}

function environmentFor(root: string): Record<string, string> {
  const libraries = path.join(root, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  const programs = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((each) => path.join(root, each)).join(':');
  return {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    LD_LIBRARY_PATH: libraries,
    XTABLES_LIBDIR: path.join(libraries, 'xtables'),
    DEBOOTSTRAP_DIR: path.join(root, 'usr/share/debootstrap'),
  };
}
