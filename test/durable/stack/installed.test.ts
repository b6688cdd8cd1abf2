import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { GRAMMARS, readGrammar } from '../../../activities/index/analysis/grammar-files.ts';
import type { Finding } from '../../../client/cli/commands.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { Ended } from '../../support/command.ts';
import { git, initRepository } from '../../support/scratch-git.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const MB = 1e6;

/** The package in a place without the clone, for one version of Node. */
interface Installed {
  /** Runs `longhaul` with its own home, in a folder that is not the clone. */
  longhaul(...args: readonly string[]): Promise<Ended>;
  readonly env: Readonly<Record<string, string>>;
  /** The current folder of all commands. */
  readonly cwd: string;
  /** The folder with one repository, `acme/api`. */
  readonly code: string;
}

let folder: string;
let tarball: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-installed-'));
  await npm(['pack', '--pack-destination', folder], PROJECT);
  tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '');
  print(`packed: ${megabytes((await stat(tarball)).size)}`);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('the package contains no path of the clone, and the grammars of its development dependencies', async () => {
  await execa('tar', ['-xzf', tarball, '-C', folder]);
  const content = join(folder, 'package');
  const withPath: string[] = [];
  let bytes = 0;
  for (const entry of await readdir(content, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file);
    bytes += text.byteLength;
    if (text.includes(PROJECT)) withPath.push(file);
  }
  print(`unpacked: ${megabytes(bytes)}`);
  expect(withPath).toEqual([]);

  const files = pathToFileURL(join(content, 'dist/activities/index/analysis/grammar-files.js')).href;
  const packed = (await import(files)) as { readGrammar: typeof readGrammar };
  for (const name of GRAMMARS) {
    const [ours, theirs] = await Promise.all([readGrammar(name), packed.readGrammar(name)]);
    expect([name, sha256(theirs.wasm), theirs.tags]).toEqual([name, sha256(ours.wasm), ours.tags]);
  }
});

// the oldest supported version, and the one that runs the tests
test.for(['22.18.0', process.versions.node])(
  'npm install --global on Node %s: longhaul indexes, searches and answers agents without the clone',
  async (version) => {
    const node = await nodeOf(version);
    const place = join(folder, `global-${version}`);
    const prefix = join(place, 'prefix');
    await npm(['install', '--global', '--prefix', prefix, ...QUIET, tarball], folder, node);
    print(`Node ${version}: installed ${await diskUse(prefix)}`);
    const program = await installed(place, [join(prefix, 'bin'), node]);
    expect(await program.longhaul('--version')).toMatchObject({ exitCode: 0, stdout: await ownVersion() });
    await expectWorking(program, version);
    await rm(place, { recursive: true, force: true });
  },
);

test('npx runs the package on Node 24', async () => {
  const place = join(folder, 'npx');
  const bin = join(place, 'bin');
  await mkdir(bin, { recursive: true });
  // what a person types, under the name that the steps below call
  const npx = `exec npx --yes ${QUIET.join(' ')} --package '${tarball}' longhaul "$@"`;
  await writeFile(join(bin, 'longhaul'), `#!/bin/sh\n${npx}\n`, { mode: 0o755 });
  const program = await installed(place, [bin, await nodeOf('24.22.3')]);
  expect(await program.longhaul('--version')).toMatchObject({ exitCode: 0, stdout: await ownVersion() });
  await expectStopped(program);
});

/** The whole chain of a new user. */
async function expectWorking(program: Installed, version: string): Promise<void> {
  const { longhaul } = program;
  expect((await longhaul('completion', 'bash')).stdout).toContain('complete -F _longhaul longhaul');
  await expectStopped(program);
  try {
    expect(await longhaul('init', '--type', 'local', '--root', program.code)).toMatchObject({ exitCode: 0 });
    expect(await longhaul('up', '--detach')).toMatchObject({ exitCode: 0 });
    const checked = await longhaul('doctor', '--json');
    expect(findingsIn(checked)).toContainEqual(expect.objectContaining({ name: 'Node', found: version }));
    expect(checked).toMatchObject({ exitCode: 0 });
    expect(await longhaul('index', 'add', '--pattern', 'acme/*', '--yes')).toMatchObject({ exitCode: 0 });

    const found = await longhaul('search', 'retry budget', '--json');
    const { results } = JSON.parse(found.stdout) as { results: { repo: string; path: string }[] };
    expect(results[0]).toMatchObject({ repo: 'local/acme/api', path: 'src/retry.ts' });
    expect(await longhaul('complete', '--', 'search', '--repo', '')).toMatchObject({ stdout: 'local/acme/api\tmain' });
    expect(await askAgentTool(program)).toMatchObject({ results: [{ repo: 'local/acme/api', path: 'src/retry.ts' }] });
  } finally {
    expect(await longhaul('down')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('worker') });
  }
  await expectStopped(program);
}

/** Without servers, doctor names them as what is wrong, with the way to start them. */
async function expectStopped({ longhaul }: Installed): Promise<void> {
  const checked = await longhaul('doctor', '--json');
  expect(findingsIn(checked).filter(({ ok }) => !ok)).toEqual([
    expect.objectContaining({ name: 'Temporal', remedy: expect.stringContaining('longhaul up') }),
    expect.objectContaining({ name: 'Weaviate', remedy: expect.stringContaining('longhaul up') }),
    expect.objectContaining({ name: 'PostgreSQL', remedy: expect.stringContaining('longhaul up') }),
  ]);
  expect(checked.exitCode).toBe(1);
}

function findingsIn({ stdout }: Ended): readonly Finding[] {
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

/** The answer of `search_code` of `longhaul mcp`, asked by the official client. */
async function askAgentTool({ env, cwd }: Installed): Promise<unknown> {
  const client = new Client({ name: 'agent', version: '1' });
  await client.connect(new StdioClientTransport({ command: 'longhaul', args: ['mcp'], env: { ...env }, cwd }));
  try {
    const { structuredContent } = await client.callTool({ name: 'search_code', arguments: { query: 'retry budget' } });
    return structuredContent;
  } finally {
    await client.close();
  }
}

/** A home, a current folder and a repository; what the machine fetched before is reused. */
async function installed(place: string, path: readonly string[]): Promise<Installed> {
  const [home, cwd, code] = ['home', 'elsewhere', 'code'].map((name) => join(place, name)) as [string, string, string];
  const folders = [join(home, '.npm'), cwd, join(code, 'acme/api/src')];
  await Promise.all(folders.map((each) => mkdir(each, { recursive: true })));
  // npx installs into its home, from packages that the machine has
  await symlink(join(await npm(['config', 'get', 'cache'], folder), '_cacache'), join(home, '.npm/_cacache'));
  const repository = initRepository(join(code, 'acme/api'));
  await writeFile(join(repository, 'src/retry.ts'), 'export function retryBudget(): number {\n  return 3;\n}\n');
  git(repository, 'add', '.');
  git(repository, 'commit', '--quiet', '--message', 'first');
  const env = {
    PATH: [...path, ...systemPath()].join(delimiter),
    HOME: home,
    LONGHAUL_CACHE_DIR: inject('stack').cacheDir,
    ...npmEnv(),
  };
  return {
    env,
    cwd,
    code,
    async longhaul(...args) {
      const ended = await execa('longhaul', args, { cwd, env, extendEnv: false, reject: false });
      return { exitCode: ended.exitCode ?? -1, stdout: ended.stdout, stderr: ended.stderr };
    },
  };
}

/** The folder with a version of Node, from its npm package. */
async function nodeOf(version: string): Promise<string> {
  if (version === process.versions.node) return dirname(process.execPath);
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(folder, `node-${version}`);
  await mkdir(prefix, { recursive: true });
  await npm(['install', '--prefix', prefix, '--no-save', '--ignore-scripts', ...QUIET, `${name}@${version}`], prefix);
  return join(prefix, 'node_modules', name, 'bin');
}

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** Runs npm, with a version of Node, and returns what it prints. */
async function npm(args: readonly string[], cwd: string, node?: string): Promise<string> {
  const path = [...(node === undefined ? [] : [node]), process.env['PATH'] ?? ''].join(delimiter);
  const env = { ...npmEnv(), PATH: path, HOME: process.env['HOME'] };
  return (await execa('npm', args, { cwd, env, extendEnv: false })).stdout;
}

/** The registry and cache of this machine, without what npm tells the scripts of this project. */
function npmEnv(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      /^(npm_config_|https?_proxy$|no_proxy$|SSL_CERT|NODE_EXTRA_CA)/i.test(entry[0]) &&
      !/^npm_config_(cache|prefix|(local|global)_prefix)$/i.test(entry[0]),
  );
  // this install script fetches drivers of graphics cards
  return { ...Object.fromEntries(entries), ONNXRUNTIME_NODE_INSTALL: 'skip' };
}

/** The search path of the machine without programs of the clone. */
function systemPath(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((each) => !each.includes('node_modules'));
}

async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as { version: string }).version;
}

async function diskUse(path: string): Promise<string> {
  let blocks = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) blocks += (await stat(join(entry.parentPath, entry.name))).blocks;
  }
  return megabytes(blocks * 512);
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
