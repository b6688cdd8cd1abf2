import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPackageManifests } from '../../../../activities/workspace/manifests/read-package-manifests.ts';
import { git, scratchFolder } from '../../../support/scratch-git.ts';
import { manifestsOf, repositoryWith, scratchRunner } from '../../../support/workspace/manifest-repository.ts';

const NAMES = ['Cargo.toml', 'go.mod', 'mix.exs', 'package.json', 'pnpm-workspace.yaml', 'pyproject.toml'];

/** A small manifest of each kind. */
const GOOD: Readonly<Record<string, string>> = {
  'Cargo.toml': '[package]\nname = "a"\n',
  'go.mod': 'module a\n',
  'mix.exs': 'defmodule A do\n  def project, do: [app: :a]\nend\n',
  'package.json': '{"name": "a"}',
  'pnpm-workspace.yaml': 'packages: []\n',
  'pyproject.toml': '[project]\nname = "a"\n',
};

test('the small manifests are read without a diagnostic', async () => {
  const { packages, diagnostics } = await manifestsOf(GOOD);
  expect([packages.length, diagnostics]).toEqual([5, []]);
});

test.for(NAMES)('%s with 100 MB is not read', async (name) => {
  const folder = repositoryWith(GOOD);
  truncateSync(join(folder, name), 100_000_000);
  const { diagnostics } = await readPackageManifests(folder, { git: scratchRunner() });
  expect(diagnostics.map(({ kind, file }) => [kind, file])).toEqual([['too_large', name]]);
});

test.for(NAMES)('%s that is not valid UTF-8, or a link out of the repository, or a pipe', async (name) => {
  const folder = repositoryWith(GOOD);
  const file = join(folder, name);
  const seen = async (): Promise<unknown[]> =>
    (await readPackageManifests(folder, { git: scratchRunner() })).diagnostics.map((each) => [each.kind, each.file]);

  writeFileSync(file, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
  expect(await seen()).toEqual([['not_text', name]]);

  const secret = join(scratchFolder(), 'secret');
  writeFileSync(secret, GOOD[name] ?? '');
  for (const target of [secret, '/dev/zero', '.git/config', name, '..']) {
    rmSync(file);
    symlinkSync(target, file);
    expect(await seen(), target).toEqual([['outside', name]]);
  }
  rmSync(file);
  execFileSync('mkfifo', [file]);
  expect(await seen()).toEqual([['outside', name]]);
  rmSync(file);
  mkdirSync(file);
  expect(await seen()).toEqual([['outside', name]]);
  rmSync(file, { recursive: true });
  expect(await seen()).toEqual([['missing', name]]);
  // a link that stays inside is read
  writeFileSync(join(folder, 'inside'), GOOD[name] ?? '');
  symlinkSync('inside', file);
  expect(await seen()).toEqual([]);
});

test('a folder that became a link out of the repository is not followed', async () => {
  const folder = repositoryWith({ 'package.json': '{"workspaces": ["a"]}', 'a/package.json': '{"name": "inside"}' });
  const outside = scratchFolder();
  writeFileSync(join(outside, 'package.json'), '{"name": "outside"}');
  rmSync(join(folder, 'a'), { recursive: true });
  symlinkSync(outside, join(folder, 'a'));
  const { packages, diagnostics } = await readPackageManifests(folder, { git: scratchRunner() });
  expect(packages.map(({ name }) => name)).toEqual([null]);
  expect(diagnostics.map(({ kind, file }) => [kind, file])).toEqual([['outside', 'a/package.json']]);
});

test('what git does not track is not read', async () => {
  const folder = repositoryWith({ 'package.json': '{"name": "root", "workspaces": ["*"]}' });
  mkdirSync(join(folder, 'new'));
  writeFileSync(join(folder, 'new/package.json'), '{"name": "new"}');
  const names = async (): Promise<unknown[]> =>
    (await readPackageManifests(folder, { git: scratchRunner() })).packages.map(({ name }) => name);
  expect(await names()).toEqual(['root']);
  git(folder, 'add', '--all');
  expect(await names()).toEqual(['root', 'new']);
});

const DEEP = 100_000;
const LONG = 300_000;

test.for([
  ['package.json', `{"a": ${'['.repeat(DEEP)}`],
  ['package.json', `{"a": ${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}`],
  ['package.json', `{"a": "${'\\'.repeat(LONG)}`],
  ['pnpm-workspace.yaml', `packages: ${'['.repeat(DEEP)}`],
  ['pnpm-workspace.yaml', `packages:\n  ${'- '.repeat(DEEP)}a`],
  ['pnpm-workspace.yaml', `${'? '.repeat(DEEP)}a`],
  ['pnpm-workspace.yaml', Array.from({ length: 1_000 }, (_, level) => `${' '.repeat(level)}a:\n`).join('')],
  ['Cargo.toml', `a = ${'['.repeat(DEEP)}`],
  ['Cargo.toml', `a = ${'{a='.repeat(DEEP)}`],
  ['Cargo.toml', `a = """${'\\"'.repeat(DEEP)}`],
  ['pyproject.toml', `[project]\nname = "a"\ndependencies = ["a${'[a'.repeat(500)}"]`],
  ['pyproject.toml', `[project]\nname = "a"\ndependencies = ["a; ${'('.repeat(2_000)}"]`],
  ['pyproject.toml', `[project]\nname = "a"\ndependencies = ["${'a'.repeat(LONG)}"]`],
  ['pyproject.toml', `[project]\nname = "a"\ndependencies = [${'"a>1",'.repeat(70_000)}]`],
  ['Cargo.toml', `${'a.'.repeat(DEEP)}a = 1`],
  ['go.mod', `module ${'"'.repeat(LONG + 1)}`],
  ['go.mod', `require (\n${'require (\n'.repeat(DEEP)}`],
  ['mix.exs', `defmodule A do\n  def project, do: ${'['.repeat(DEEP)}`],
  ['mix.exs', 'defmodule A do\n'.repeat(30_000)],
  ['mix.exs', `defmodule A do\n  def project, do: [app: :a, deps: ${'[] ++ '.repeat(20_000)}[]]\nend`],
  ['mix.exs', `defmodule A do\n  def project, do: [app: :a, deps: ${'('.repeat(20_000)}[]${')'.repeat(20_000)}]\nend`],
  ['mix.exs', '"#{'.repeat(20_000)],
] as const)('%s that would exhaust a parser: %.40s', { timeout: 60_000 }, async ([name, content]) => {
  const started = performance.now();
  const { diagnostics } = await manifestsOf({ ...GOOD, [name]: content });
  expect(diagnostics.length).toBeGreaterThan(0);
  expect(new Set(diagnostics.map(({ file }) => file))).toEqual(new Set([name]));
  expect(performance.now() - started).toBeLessThan(50_000);
});

test('YAML whose aliases multiply is not expanded', async () => {
  const levels = Array.from(
    { length: 30 },
    (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(9)}]`,
  );
  const { packages, diagnostics } = await manifestsOf({
    ...GOOD,
    'pnpm-workspace.yaml': `a0: &a0 [lol]\n${levels.join('\n')}\npackages: *a30\n`,
  });
  expect(packages).toHaveLength(5);
  expect(diagnostics.map(({ kind, file }) => [kind, file])).toEqual([['invalid', 'pnpm-workspace.yaml']]);
});

test('patterns with many alternatives and wildcards, and more patterns than are read', async () => {
  const member = `${'a'.repeat(100)}/package.json`;
  const patterns = ['{a,b}'.repeat(60), `${'*a'.repeat(90)}b`, `${'**/'.repeat(500)}b`, 'x'.repeat(5_000), 5];
  const { packages, diagnostics } = await manifestsOf({
    'package.json': JSON.stringify({ name: 'root', workspaces: [...patterns, ...Array(2_000).fill('z')] }),
    [member]: '{"name": "member"}',
  });
  expect(packages.map(({ name }) => name)).toEqual(['root']);
  expect(diagnostics.map(({ message }) => message)).toEqual([
    'There are more than 1000 patterns: the others are ignored.',
    'A pattern has more than 4096 characters: it is ignored.',
    'A pattern is not a string: it is ignored.',
  ]);
});

test('names of properties that JavaScript treats in its own way', async () => {
  const { packages } = await manifestsOf({
    'package.json': '{"name": "a", "dependencies": {"__proto__": "^1.0.0", "constructor": "1", "toString": "2"}}',
    'Cargo.toml': '[package]\nname = "a"\n[dependencies]\n__proto__ = "1"\nconstructor = "2"\n',
  });
  expect(packages.map(({ dependencies }) => dependencies.map(({ name }) => name))).toEqual([
    ['__proto__', 'constructor'],
    ['__proto__', 'constructor', 'toString'],
  ]);
});

test('more manifests than are read', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 5_001 }, (_, n) => [`m${String(n).padStart(4, '0')}/go.mod`, `module m${n}`]),
  );
  const { packages, diagnostics } = await manifestsOf(files);
  expect(packages).toHaveLength(5_000);
  expect(diagnostics.map(({ kind, file }) => [kind, file])).toEqual([['too_large', 'm5000/go.mod']]);
});

test('more bytes of manifests than are read', async () => {
  const large = `module m\n${`// ${'x'.repeat(97)}\n`.repeat(5_000)}`;
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`m${n}/go.mod`, large]));
  const { packages, diagnostics } = await manifestsOf(files);
  expect(packages).toHaveLength(33);
  expect(new Set(diagnostics.map(({ kind }) => kind))).toEqual(new Set(['too_large']));
  expect(diagnostics).toHaveLength(7);
});

test('a folder that is no repository has the manifests directly in it, and one that does not exist is refused', async () => {
  const folder = scratchFolder();
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(folder, 'package.json'), '{"name": "root", "workspaces": ["a"]}');
  writeFileSync(join(folder, 'a/package.json'), '{"name": "a"}');
  const { packages } = await readPackageManifests(folder, { git: scratchRunner() });
  expect(packages.map(({ name }) => name)).toEqual(['root']);
  const missing = join(folder, 'missing');
  await expect(readPackageManifests(missing, { git: scratchRunner() })).rejects.toThrow('does not exist');
});
