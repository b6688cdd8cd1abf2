import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { FileLink, LinkKind } from '../../../domain/workspace/links/file-link.ts';
import { hasCode } from '../../../platform/error-code.ts';
import type { Git, GitOwner } from '../../git/git.ts';
import { trackedFiles } from '../manifests/tracked-files.ts';
import { runPlanProgram } from '../plan-program.ts';

/** Where one package of a link comes from. */
export interface Resolved {
  /** The folder of the package that depends, relative to the root. */
  readonly consumer: string;
  readonly name: string;
  /** The folder that the package comes from, relative to the root; null where it is none of the workspace. */
  readonly path: string | null;
}

/** What tools are asked with. */
export interface ResolveTools {
  /** The real path of the workspace. */
  readonly root: string;
  /** The real path of a folder below the root that does not exist yet, for copies of manifests. */
  readonly aside: string;
  /** A path of the same folder that leads there also when a folder around it is replaced. */
  readonly copies: string;
  readonly git: Git;
  /** The programs belong to it. */
  readonly owner: GitOwner;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the tool. */
  readonly signal?: AbortSignal | undefined;
}

/** Thrown when a tool does not say where a package comes from; the message is why. */
export class Unanswered extends Error {}

const LONGEST_MS = 60_000;

/** Asks the tool of a kind where each package of a link comes from; what it does not mention is left out. */
export const RESOLVERS: Readonly<
  Record<LinkKind, (tools: ResolveTools, link: FileLink) => Promise<readonly Resolved[]>>
> = { go: byGo, cargo: byCargo, npm: byNode, pnpm: byNode, python: byUv };

async function byGo(tools: ResolveTools, { by, takes }: FileLink): Promise<readonly Resolved[]> {
  const found: Resolved[] = [];
  for (const { path: consumer } of by) {
    // without names it lists the modules that are in folders, and needs no network
    const argv = ['go', 'list', '-m', '-f', '{{.Path}}\t{{.Dir}}'];
    const printed = await answerOf(tools, argv, join(tools.root, consumer), { GOPROXY: 'off', GOTOOLCHAIN: 'local' });
    const folders = new Map(printed.split('\n').map((line) => line.split('\t') as [string, string]));
    for (const { name } of takes) found.push({ consumer, name, path: below(tools.root, folders.get(name)) });
  }
  return found;
}

/**
 * Cargo writes its answer into Cargo.lock, and runs what a `.cargo` or `rust-toolchain` of a repository names. So it is asked
 * in a copy of the consumer's manifests, below the root, where the same file with links applies.
 */
async function byCargo(tools: ResolveTools, { from, by, takes }: FileLink): Promise<readonly Resolved[]> {
  await copyTracked(
    tools,
    from,
    (name) => name === 'Cargo.toml' || name === 'Cargo.lock',
    (name) => name.endsWith('.rs'),
  );
  const found: Resolved[] = [];
  for (const { path: consumer, name: crate } of by) {
    const argv = ['cargo', 'metadata', '--offline', '--format-version', '1'];
    const printed = await answerOf(tools, argv, join(tools.aside, consumer), { CARGO_NET_OFFLINE: 'true' });
    const { packages, resolve } = parsed(printed) as CargoMetadata;
    const byId = new Map(packages.map((one) => [one.id, one]));
    const ids = new Set(
      packages.filter((one) => one.name === crate && isInside(tools.aside, one.manifest_path)).map(({ id }) => id),
    );
    const needed = resolve.nodes.filter(({ id }) => ids.has(id)).flatMap(({ dependencies }) => dependencies);
    for (const id of needed) {
      const provider = byId.get(id);
      if (provider === undefined || !takes.some(({ name }) => name === provider.name)) continue;
      found.push({ consumer, name: provider.name, path: below(tools.root, dirname(provider.manifest_path)) });
    }
  }
  return found;
}

interface CargoMetadata {
  readonly packages: readonly { readonly id: string; readonly name: string; readonly manifest_path: string }[];
  readonly resolve: { readonly nodes: readonly { readonly id: string; readonly dependencies: readonly string[] }[] };
}

/** Node takes the nearest `node_modules` above the package. */
async function byNode({ root }: ResolveTools, { by, takes }: FileLink): Promise<readonly Resolved[]> {
  const found: Resolved[] = [];
  for (const { path: consumer } of by) {
    for (const { name } of takes) {
      const place = await nearestModule(root, consumer, name);
      if (place !== null) found.push({ consumer, name, path: below(root, place) });
    }
    if (!found.some((one) => one.consumer === consumer))
      throw new Unanswered(`nothing is installed in ${consumer} yet: run the install command in ${root}`);
  }
  return found;
}

async function nearestModule(root: string, consumer: string, name: string): Promise<string | null> {
  for (let folder = consumer; ; folder = dirname(folder)) {
    try {
      return await realpath(join(root, folder, 'node_modules', name));
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
    if (folder === '.') return null;
  }
}

/** Uv writes its answer into uv.lock, and may build packages: so it is asked in a copy of the manifests. */
async function byUv(tools: ResolveTools, { from, to, by, takes }: FileLink): Promise<readonly Resolved[]> {
  for (const folder of [from, to])
    await copyTracked(
      tools,
      folder,
      (name) => name === 'pyproject.toml',
      () => false,
    );
  await copyFile(join(tools.root, 'pyproject.toml'), join(tools.copies, 'pyproject.toml'));
  const found: Resolved[] = [];
  for (const { path: consumer } of by) {
    const argv = ['uv', 'export', '--offline', '--no-hashes', '--no-header', '--no-annotate', '--no-emit-project'];
    const printed = await answerOf(tools, argv, join(tools.aside, consumer), {});
    const lines = printed.split('\n').map((line) => line.trim());
    for (const { name, path } of takes) {
      if (lines.some((line) => line.replace(/^-e /, '').split(' ')[0] === `./${path}`))
        found.push({ consumer, name, path });
      else if (lines.some((line) => line.toLowerCase().startsWith(`${name}==`)))
        found.push({ consumer, name, path: null });
    }
  }
  return found;
}

/** Copies tracked files of a repository aside: those of one kind with their content, those of another one empty. */
async function copyTracked(
  { root, copies, git, signal }: ResolveTools,
  folder: string,
  isCopied: (name: string) => boolean,
  isEmpty: (name: string) => boolean,
): Promise<void> {
  const real = await realpath(join(root, folder));
  const files = (await trackedFiles(real, (name) => isCopied(name) || isEmpty(name), { git, signal })) ?? [];
  for (const { path, isText } of files) {
    if (!isText || path.split('/').some((part) => part === '..' || part.startsWith('.cargo'))) continue;
    const place = join(copies, folder, path);
    await mkdir(dirname(place), { recursive: true });
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!isCopied(name)) await writeFile(place, '');
    else {
      const source = await realpath(join(real, path)).catch(() => null);
      if (source !== null && isInside(real, source)) await copyFile(source, place);
    }
  }
}

async function answerOf(
  { owner, env, signal }: ResolveTools,
  argv: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  try {
    const { code, stdout, tail } = await runPlanProgram(owner, argv, {
      cwd,
      env,
      variables,
      timeoutMs: LONGEST_MS,
      signal,
    });
    if (code === 0) return stdout;
    throw new Unanswered(
      `${argv.slice(0, 3).join(' ')} ended with ${code}: ${tail.replaceAll('\n', ' ').slice(0, 500)}`,
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Unanswered) throw error;
    throw new Unanswered(`${argv[0]} could not be asked: ${(error as Error).message}`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unanswered('its answer is no JSON', { cause: error });
  }
}

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** A folder relative to the root; null for none, and outside of it. */
function below(root: string, path: string | undefined): string | null {
  if (path === undefined || path === '') return null;
  return isInside(root, path) ? relative(root, path) : null;
}
