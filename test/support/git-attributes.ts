import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { expect } from 'vitest';
import { createGit } from '../../activities/git/git.ts';
import { findAttributes, readAttributes } from '../../activities/mgit/attributes.ts';
import { exactPath } from '../../activities/mgit/file-path.ts';
import type { Declared } from '../../domain/git/attributes.ts';
import { commitTree, files, git, initRepository, SCRATCH_ENV } from './scratch-git.ts';

const NAMES = ['binary', 'linguist-generated', 'linguist-vendored', 'linguist-language'] as const;

/** What git says about paths of a work tree that has the commit checked out, path by path. */
function checkedOut(repository: string, commit: string, paths: readonly string[]): Declared[] {
  git(repository, 'checkout', '--quiet', '--force', '--detach', commit);
  const printed = execFileSync('git', ['check-attr', '-z', '--stdin', ...NAMES], {
    cwd: repository,
    env: SCRATCH_ENV,
    input: paths.map((path) => `${path}\0`).join(''),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const values = printed
    .toString('utf8')
    .split('\0')
    .filter((_, at) => at % 3 === 2);
  return paths.map((_, at) => {
    const [binary, generated, vendored, language] = values.slice(at * NAMES.length);
    const truth = (value: string | undefined): boolean => !['unset', 'false'].includes(value?.toLowerCase() ?? '');
    const said = (value: string | undefined): boolean => value !== 'unspecified';
    return {
      ...(said(binary) ? { binary: binary === 'set' } : {}),
      ...(said(generated) ? { generated: truth(generated) } : {}),
      ...(said(vendored) ? { vendored: truth(vendored) } : {}),
      ...(said(language) && language !== 'set' && language !== 'unset' ? { language: language ?? '' } : {}),
    };
  });
}

/** What Longhaul reads in the commit, for a few paths as a sync does it. */
async function ours(folder: string, repository: string, commit: string, paths: readonly string[]): Promise<Declared[]> {
  const tools = createGit(join(folder, 'cache'), process.env);
  const store = { objects: join(repository, '.git', 'objects'), format: 'sha1' } as const;
  const about = { about: 'local/acme/api' };
  const asked = paths.map((path) => ({ path }));
  const found = await findAttributes({ git: tools, store }, commit, asked, about);
  const declared = await readAttributes({ git: tools, store, cacheDir: join(folder, 'cache') }, found, asked, about);
  return asked.map((file) => declared.get(exactPath(file)) ?? {});
}

/** Compares both in a new repository, for `.gitattributes` in these folders; all paths exist. */
export async function expectAgreement(
  folder: string,
  attributes: Readonly<Record<string, string>>,
  paths: readonly string[],
): Promise<Declared[]> {
  const repository = initRepository(join(folder, 'api'));
  const named = Object.entries(attributes).map(([at, text]): [string, string] => [
    at === '' ? '.gitattributes' : `${at}/.gitattributes`,
    text,
  ]);
  const commit = commitTree(
    repository,
    new Map([...files(Object.fromEntries(paths.map((path) => [path, 'x\n']))), ...files(Object.fromEntries(named))]),
  );
  const found = await ours(folder, repository, commit, paths);
  expect(found).toEqual(checkedOut(repository, commit, paths));
  return found;
}

const characters = fc.constantFrom(
  'a',
  'b',
  '/',
  '*',
  '?',
  '.',
  '**',
  '/**/',
  '[ab]',
  '[!a]',
  '\\',
  '\\*',
  '[a-b]',
  '-',
  '"',
  ' ',
);
const patterns = fc
  .array(characters, { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))
  // git documents `**` inside a name as `*`, but its matcher compares unrelated pointers there: its answer varies
  .filter((pattern) => !/[^/]\*\*|\*\*[^/]/.test(pattern));
const attribute = fc
  .tuple(
    fc.constantFrom('', '-', '!'),
    fc.constantFrom('linguist-vendored', 'linguist-generated', 'linguist-language', 'binary', 'made', 'other'),
    fc.constantFrom('', '', '=true', '=false', '=C++'),
  )
  .map(([sign, name, value]) => sign + name + (sign === '' ? value : ''));
const line = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(patterns, attribute, attribute).map((parts) => parts.join(' ')) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('made', 'other', 'binary'), attribute)
      .map(([name, one]) => `[attr]${name} ${one}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(patterns, attribute)
      .map(([pattern, one]) => `"${pattern.replaceAll(/["\\]/g, '\\$&')}" ${one}`),
  },
);
/** A `.gitattributes` file: patterns, quoted or not, macros, negations, values. */
export const anyAttributes = fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) => lines.join('\n'));
/** Paths that are nested in the folders of the test. */
export const anyPath = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '-', ' '), minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.map((part) => (/^\.+$/.test(part) ? 'a' : `${part}x`)).join('/'));

/** Compares both for files in the root and in two folders, one in the other, and these paths as far as they can exist. */
export async function expectAnyAgreement(
  root: string,
  first: string,
  second: string,
  paths: readonly string[],
): Promise<void> {
  const usable = ['ax/q', 'ax/b/q', ...paths].filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-attributes-'));
  try {
    await expectAgreement(folder, { '': root, ax: first, 'ax/b': second }, usable);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
