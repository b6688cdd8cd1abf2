import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Head } from '../../domain/git/head.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { nullOid } from './diff.ts';
import type { ObjectFormat } from '../git/git.ts';

/** The folders of a repository on this disk, as in gitrepository-layout(5). */
export interface Layout {
  /** The folder with `HEAD`. */
  readonly gitDir: string;
  /** The folder with `objects`, `refs` and `config`: differs from `gitDir` in a linked worktree. */
  readonly commonDir: string;
  /** The content of the file `HEAD`. */
  readonly head: string;
}

/**
 * Finds the repository at a path: bare, with a folder `.git`, or with a file `.git` that points to one. Null when there
 * is none.
 */
export async function findLayout(path: string): Promise<Layout | null> {
  const inside = join(path, '.git');
  const head = await textOf(join(inside, 'HEAD'));
  if (head !== null) return layoutAt(inside, head);
  const pointer = /^gitdir: (.+?)\r?\n?$/.exec((await textOf(inside)) ?? '')?.[1];
  if (pointer !== undefined) {
    const gitDir = resolve(path, pointer);
    const linked = await textOf(join(gitDir, 'HEAD'));
    return linked === null ? null : layoutAt(gitDir, linked);
  }
  const bare = await textOf(join(path, 'HEAD'));
  return bare === null ? null : layoutAt(path, bare);
}

/**
 * True for a partial clone (`git clone --filter`), as its configuration says: objects that are missing are at its
 * remote.
 */
export async function isPartialClone({ commonDir }: Layout): Promise<boolean> {
  return /^\s*(?:partialclone|promisor)\s*=/im.test((await textOf(join(commonDir, 'config'))) ?? '');
}

/** Reads HEAD from the files. Null when that is not possible (another ref storage, a broken ref): then run git. */
export async function readHead({ commonDir, head }: Layout): Promise<Head | null> {
  const detached = asOid(head);
  if (detached !== null) return { commit: detached, branch: null };
  const ref = /^ref: (refs\/.+?)\n?$/.exec(head)?.[1];
  if (ref === undefined || ref.includes('..') || ref === 'refs/heads/.invalid') return null;
  const branch = ref.replace(/^refs\/heads\//, '');
  const loose = await textOf(join(commonDir, ref));
  if (loose !== null) {
    const commit = asOid(loose);
    return commit === null ? null : { commit, branch };
  }
  const packed = (await textOf(join(commonDir, 'packed-refs'))) ?? '';
  const at = packed.indexOf(` ${ref}\n`);
  if (at >= 0) {
    const commit = asOid(packed.slice(packed.lastIndexOf('\n', at) + 1, at));
    return commit === null ? null : { commit, branch };
  }
  return { commit: nullOid(await readObjectFormat(commonDir)), branch };
}

/**
 * Reads the commits of the requested branches from the files, by name. Null when that is not possible: then run git.
 */
export async function readBranches(
  { commonDir }: Layout,
  isWanted: (name: string) => boolean,
): Promise<ReadonlyMap<string, string> | null> {
  const folder = join(commonDir, 'refs', 'heads');
  if (!(await isFolder(folder))) return null;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent);
  if (entries === null) return null;
  const loose = new Map<string, string>();
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isDirectory() || !isWanted(name)) continue;
    const text = entry.isFile() ? await textOf(path) : '';
    // it was packed or deleted after it was listed
    if (text === null) continue;
    const commit = asOid(text);
    if (commit === null) return null;
    loose.set(name, commit);
  }
  // after the loose ones, because git writes packed-refs before it deletes loose refs
  const packed = (await textOf(join(commonDir, 'packed-refs'))) ?? '';
  const branches = new Map<string, string>();
  for (const [, commit = '', name = ''] of packed.matchAll(/^([0-9a-f]{40}|[0-9a-f]{64}) refs\/heads\/(.+)$/gm)) {
    if (isWanted(name)) branches.set(name, commit);
  }
  return new Map([...branches, ...loose]);
}

/** The object format of a repository, from its configuration. */
export async function readObjectFormat(commonDir: string): Promise<ObjectFormat> {
  const configuration = (await textOf(join(commonDir, 'config'))) ?? '';
  return /^\s*objectformat\s*=\s*sha256\s*$/im.test(configuration) ? 'sha256' : 'sha1';
}

async function layoutAt(gitDir: string, head: string): Promise<Layout | null> {
  const common = (await textOf(join(gitDir, 'commondir')))?.trimEnd();
  const commonDir = common === undefined ? gitDir : isAbsolute(common) ? common : resolve(gitDir, common);
  const complete = await Promise.all(['objects', 'refs'].map((name) => isFolder(join(commonDir, name))));
  return complete.every(Boolean) ? { gitDir, commonDir, head } : null;
}

function asOid(text: string): string | null {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})(?=\s*$)/.exec(text)?.[0] ?? null;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(absent))?.isDirectory() ?? false;
}

/** Large enough for the refs of the largest repositories, and a bound for devices and pipes. */
const LARGEST_FILE = 200_000_000;

/** The text of a file; null when it does not exist. */
async function textOf(path: string): Promise<string | null> {
  const info = await stat(path).catch(absent);
  return info?.isFile() && info.size <= LARGEST_FILE ? readFile(path, 'utf8').catch(absent) : null;
}

function absent(error: NodeJS.ErrnoException): null {
  if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'].includes(error.code ?? '')) return null;
  throw new LonghaulError('SourceUnreadable', `${dirname(error.path ?? '')} cannot be read: ${error.message}.`, {
    cause: error,
  });
}
