import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { LonghaulError } from '../domain/shared/failures.ts';
import type { PublishedPackage } from './judged.schema.ts';
import { sha256 } from '../platform/sha256.ts';

/** Base addresses of the registries. */
export type Registries = Readonly<Record<PublishedPackage['registry'], string>>;

/** Source and cache of packages. */
export interface PackageOptions {
  /** The folder with fetched archives, named by checksum. */
  readonly cacheDir: string;
  readonly registries: Registries;
  readonly signal?: AbortSignal | undefined;
}

const MINUTES_A_FETCH = 5;

/** The public registries, or the mirrors in `npm_config_registry`, `PIP_INDEX_URL` and `GOPROXY`. */
export function configuredRegistries(env: NodeJS.ProcessEnv = process.env): Registries {
  const [proxy = ''] = (env['GOPROXY'] ?? '').split(/[,|]/);
  return {
    npm: env['npm_config_registry'] || 'https://registry.npmjs.org',
    pypi: env['PIP_INDEX_URL'] || 'https://pypi.org/simple',
    go: proxy.startsWith('http') ? proxy : 'https://proxy.golang.org',
    crates: 'https://static.crates.io/crates',
    maven: 'https://repo1.maven.org/maven2',
  };
}

/**
 * Unpacks a published package into `folder`, which is empty or missing. The package is fetched unless it is cached, and
 * its checksum is verified each time. Returns the folder with the package's own files, in `folder`.
 *
 * Throws `ServerUnavailable` when the registry does not serve it, and `InvalidInput` when its content is not the pinned
 * one.
 */
export async function unpackPublished(pkg: PublishedPackage, folder: string, options: PackageOptions): Promise<string> {
  const archive = await cachedArchive(pkg, options);
  await mkdir(folder, { recursive: true });
  const zipped = pkg.registry === 'go' || pkg.registry === 'maven';
  const [program, ...args] = zipped
    ? ['python3', '-m', 'zipfile', '-e', archive, folder]
    : ['tar', '-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner'];
  await execa(program, args, { ...(options.signal && { cancelSignal: options.signal }) });
  const root = pkg.registry === 'go' ? join(folder, `${pkg.name}@${pkg.version}`) : folder;
  return join(root, pkg.folder ?? '.');
}

/** The path of the archive in the cache; it gets its name after its checksum is verified. */
async function cachedArchive(pkg: PublishedPackage, options: PackageOptions): Promise<string> {
  const archive = join(options.cacheDir, pkg.sha256);
  const cached = await readFile(archive).catch(() => null);
  if (cached !== null && sha256(cached) === pkg.sha256) return archive;

  const content = await download(await addressOf(pkg, options), pkg, options);
  if (sha256(content) !== pkg.sha256) {
    throw new LonghaulError(
      'InvalidInput',
      `${pkg.name} ${pkg.version} of ${pkg.registry} does not have the pinned checksum: it was discarded.`,
    );
  }
  await mkdir(options.cacheDir, { recursive: true });
  const arriving = `${archive}.${process.pid}`;
  try {
    await writeFile(arriving, content);
    await rename(arriving, archive);
  } finally {
    await rm(arriving, { force: true });
  }
  return archive;
}

/** The address of the archive at its registry. PyPI lists it on the package's page, the others have a fixed scheme. */
async function addressOf(pkg: PublishedPackage, options: PackageOptions): Promise<string> {
  const { registry, name, version } = pkg;
  const base = options.registries[registry].replace(/\/$/, '');
  switch (registry) {
    case 'npm':
      return `${base}/${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
    case 'go':
      return `${base}/${name.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)}/@v/${version}.zip`;
    case 'crates':
      return `${base}/${name}/${name}-${version}.crate`;
    case 'maven': {
      const [group = '', artifact = ''] = name.split(':');
      return `${base}/${group.replaceAll('.', '/')}/${artifact}/${version}/${artifact}-${version}-sources.jar`;
    }
    case 'pypi': {
      const page = `${base}/${name}/`;
      const links = new TextDecoder().decode(await download(page, pkg, options));
      const link = new RegExp(`href="([^"#]+)#sha256=${pkg.sha256}"`).exec(links)?.[1];
      if (link !== undefined) return new URL(link, page).href;
      throw unavailable(pkg, 'its index does not list a file with the pinned checksum');
    }
  }
}

async function download(address: string, pkg: PublishedPackage, { signal }: PackageOptions): Promise<Uint8Array> {
  const url = new URL(address);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const enough = AbortSignal.timeout(MINUTES_A_FETCH * 60_000);
  try {
    const response = await fetch(url, {
      headers: username === '' ? {} : { authorization: `Basic ${secret}` },
      signal: signal ? AbortSignal.any([signal, enough]) : enough,
    });
    if (!response.ok) throw unavailable(pkg, `it answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof LonghaulError ? cause : unavailable(pkg, 'it cannot be reached', cause);
  }
}

function unavailable({ registry, name, version }: PublishedPackage, why: string, cause?: unknown): LonghaulError {
  return new LonghaulError('ServerUnavailable', `${registry} does not serve ${name} ${version}: ${why}.`, { cause });
}
