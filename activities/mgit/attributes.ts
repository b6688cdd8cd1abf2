import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ATTRIBUTES, declaredBy, type Declared, foldersOf } from '../../domain/git/attributes.ts';
import type { FilePath } from '../../domain/git/change.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import type { ObjectReader } from '../git/cat-file.ts';
import type { Git, GitOptions, GitProcess, ObjectStore } from '../git/git.ts';
import { findInTree, type TreeEntry } from './diff.ts';
import { exactPath, filePath } from './file-path.ts';

/** The oids of `.gitattributes` files by the {@link exactPath} of their folders; the root is the empty string. */
export type AttributeFiles = ReadonlyMap<string, string>;

/** What is declared about files, by their {@link exactPath}; files about which nothing is declared are left out. */
export type DeclaredFiles = ReadonlyMap<string, Declared>;

const NAME = '.gitattributes';
/** Requests are written in blocks of about this size. */
const BLOCK = 16_384;

/** True for a path whose file changes the attributes of other files. */
export function isAttributesFile(path: string): boolean {
  return path === NAME || path.endsWith(`/${NAME}`);
}

/** Finds the `.gitattributes` files of a tree above these files. */
export async function findAttributes(
  { git, store }: Pick<AttributeTools, 'git' | 'store'>,
  tree: string,
  files: Iterable<FilePath>,
  options: Pick<GitOptions, 'about' | 'signal'>,
): Promise<AttributeFiles> {
  const folders = new Set<string>();
  for (const file of files) for (const folder of foldersOf(exactPath(file))) folders.add(folder);
  const paths = [...folders].map((folder) => filePath(Buffer.from(nameIn(folder), 'latin1')).path);
  return attributesAmong(await findInTree(git, store, tree, paths, options));
}

/** The `.gitattributes` files among these entries of a tree. */
export function attributesAmong(entries: Iterable<Pick<TreeEntry, 'file' | 'mode' | 'oid'>>): AttributeFiles {
  const found = new Map<string, string>();
  for (const { file, mode, oid } of entries) {
    if (!isAttributesFile(file.path) || !mode.startsWith('100')) continue;
    const path = exactPath(file);
    found.set(path.slice(0, Math.max(path.lastIndexOf('/'), 0)), oid);
  }
  return found;
}

function nameIn(folder: string): string {
  return folder === '' ? NAME : `${folder}/${NAME}`;
}

/** Tools for reading attributes. */
export interface AttributeTools {
  readonly git: Git;
  /** Has the objects of `found`. */
  readonly store: ObjectStore;
  readonly cacheDir: string;
}

/**
 * What `git check-attr` says about files when these are the `.gitattributes` files. Git reads them from an index that
 * has nothing else. Throws `GitFailed` when one of them is not in the store.
 */
export async function readAttributes(
  { git, store, cacheDir }: AttributeTools,
  found: AttributeFiles,
  files: Iterable<FilePath>,
  options: Pick<GitOptions, 'about' | 'signal'>,
): Promise<DeclaredFiles> {
  const declared = new Map<string, Declared>();
  const usable = [...found].filter(([folder]) => isCheckedOut(folder));
  if (usable.length === 0) return declared;
  const folder = join(cacheDir, 'git', 'attributes');
  const own = temporaryPath(join(folder, 'index'));
  await mkdir(own, { recursive: true });
  await removeTemporaries(folder);
  try {
    const place = { ...options, store, indexFile: join(own, 'index'), config: ANY_NAME };
    const entries = usable.map(([path, oid]) => `100644 ${oid} 0\t${nameIn(path)}\0`);
    await git.run(['update-index', '-z', '--index-info'], { ...place, input: Buffer.from(entries.join(''), 'latin1') });
    const child = await git.start(['check-attr', '-z', '--stdin', '--cached', ...ATTRIBUTES], place);
    const asked = ask(child, files);
    // a failed write ends git, which is reported below
    asked.catch(() => undefined);
    for await (const { path, values } of answers(child)) {
      const one = declaredBy(values);
      if (Object.keys(one).length > 0) declared.set(path, one);
    }
    await child.ended;
    await asked;
    return declared;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Git refuses in an index what other systems could not check out. */
const ANY_NAME = [
  ['core.protectNTFS', 'false'],
  ['core.protectHFS', 'false'],
] as const;

/** False for paths that no work tree can have: git fails when it is asked about them. */
function isCheckedOut(path: string): boolean {
  return path === '' || path.split('/').every((name) => !['', '.', '..'].includes(name) && !/^\.git$/i.test(name));
}

async function ask({ stdin, ended }: GitProcess, files: Iterable<FilePath>): Promise<void> {
  let block = '';
  const write = async (): Promise<void> => {
    if (!stdin.write(Buffer.from(block, 'latin1'))) await Promise.race([once(stdin, 'drain'), ended]);
    block = '';
  };
  for (const file of files) {
    const path = exactPath(file);
    if (!isCheckedOut(path)) continue;
    block += `${path}\0`;
    if (block.length >= BLOCK) await write();
  }
  await write();
  stdin.end();
}

/** The values of {@link ATTRIBUTES} for each path that was asked for. */
async function* answers({ stdout }: GitProcess): AsyncGenerator<{ path: string; values: string[] }, void> {
  let rest = '';
  let values: string[] = [];
  let fields: string[] = [];
  stdout.setEncoding('latin1');
  for await (const text of stdout as AsyncIterable<string>) {
    const parts = (rest + text).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      fields.push(part);
      if (fields.length < 3) continue;
      const [path = '', , value = ''] = fields;
      fields = [];
      values.push(value);
      if (values.length < ATTRIBUTES.length) continue;
      yield { path, values };
      values = [];
    }
  }
}

/** Throws `GitFailed` when attribute files are missing: git would read them as empty. */
export async function requireAttributes(reader: ObjectReader, found: AttributeFiles, about: string): Promise<void> {
  const [missing] = await reader.missing([...new Set(found.values())]);
  if (missing === undefined) return;
  throw new LonghaulError(
    'GitFailed',
    `${about} does not have the ${NAME} file ${missing}: the repository is incomplete.`,
  );
}
