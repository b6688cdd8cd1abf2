import { posix } from 'node:path';
import { Minimatch } from 'minimatch';

/** Folders that contain copies or test data of other packages. */
const OTHERS = /(?:^|\/)(?:node_modules|vendor|testdata|fixtures|__fixtures__|deps|_build|target|\.[^/]+)(?:\/|$)/;

/** The folder of a path, `.` for the repository's own. */
export function folderOf(path: string): string {
  return posix.dirname(path);
}

/** A file name in a folder of the repository. */
export function fileIn(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`;
}

/**
 * Where packages of an ecosystem start: the repository's own folder if it has the file `name`, else each folder with it
 * that is not below another one, except copies and test data of other packages.
 */
export function outermost(paths: Iterable<string>, name: string): string[] {
  const folders = [...paths].filter((path) => posix.basename(path) === name).map(folderOf);
  if (folders.includes('.')) return ['.'];
  const all = new Set(folders.filter((folder) => !OTHERS.test(folder)));
  return [...all].filter((folder) => !hasAncestorIn(folder, all));
}

function hasAncestorIn(folder: string, all: ReadonlySet<string>): boolean {
  for (let at = folderOf(folder); at !== '.'; at = folderOf(at)) if (all.has(at)) return true;
  return false;
}

/**
 * The folders below `root` with the file `name` that glob patterns select, relative to the repository, without `root`
 * itself. A pattern with `!` removes what earlier ones selected. `node_modules` is never selected.
 */
export function selected(
  paths: Iterable<string>,
  root: string,
  name: string,
  patterns: readonly string[],
  exclude: readonly string[] = [],
): string[] {
  const rules = [...patterns.map(normal), ...exclude.map((pattern) => `!${normal(pattern)}`)].map((pattern) => {
    const isRemoval = pattern.startsWith('!');
    return { isRemoval, glob: new Minimatch(isRemoval ? normal(pattern.slice(1)) : pattern, OPTIONS) };
  });
  const folders: string[] = [];
  for (const path of paths) {
    const folder = folderOf(path);
    if (posix.basename(path) !== name || folder === root || !isBelow(folder, root)) continue;
    const relative = root === '.' ? folder : folder.slice(root.length + 1);
    if (/(?:^|\/)node_modules(?:\/|$)/.test(relative)) continue;
    let isSelected = false;
    for (const { isRemoval, glob } of rules) {
      if (isSelected === isRemoval && glob.match(relative)) isSelected = !isRemoval;
    }
    if (isSelected) folders.push(folder);
  }
  return folders;
}

/** Braces could multiply a short pattern without bound. */
const OPTIONS = { nocomment: true, nonegate: true, braceExpandMax: 100, platform: 'linux' } as const;

function normal(pattern: string): string {
  const isRemoval = pattern.startsWith('!');
  const plain = (isRemoval ? pattern.slice(1) : pattern).replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
  return isRemoval ? `!${plain}` : plain;
}

/** True for a folder below `root`, or `root` itself. */
export function isBelow(folder: string, root: string): boolean {
  return root === '.' || folder === root || folder.startsWith(`${root}/`);
}

/** A path as written in a manifest, relative to the repository; null when it is not below it. */
export function insideRepository(folder: string, written: string): string | null {
  if (posix.isAbsolute(written)) return null;
  const path = posix.normalize(posix.join(folder, written)).replace(/\/$/, '');
  return path === '..' || path.startsWith('../') ? null : path;
}
