import { type AttributeRule, foldersOf, parseAttributes } from '../../domain/git/attributes.ts';
import type { ObjectReader } from '../git/cat-file.ts';
import { filePath } from './file-path.ts';

/** The rules of every relevant `.gitattributes` file, by the path of its folder; the root is the empty string. */
export type TreeAttributes = ReadonlyMap<string, readonly AttributeRule[]>;

const NAME = '.gitattributes';
const LARGEST_TREE = 50_000_000;
const LARGEST_FILE = 1_000_000;

/** True for a path whose file changes the attributes of other files. */
export function isAttributesFile(path: string): boolean {
  return path === NAME || path.endsWith(`/${NAME}`);
}

/** Finds the `.gitattributes` files above these paths, folder by folder, and returns their oids by folder. */
export async function findAttributes(
  reader: ObjectReader,
  tree: string,
  paths: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const requested = new Set<string>();
  for (const path of paths) for (const folder of foldersOf(path)) requested.add(folder);
  const found = new Map<string, string>();
  let level = new Map([['', tree]]);
  while (level.size > 0) {
    const folders = [...level.keys()];
    const below = new Map<string, string>();
    let at = 0;
    for await (const { content } of reader.read(level.values(), LARGEST_TREE)) {
      const folder = folders[at++] ?? '';
      for (const { mode, name, oid } of parseTree(content ?? new Uint8Array(), tree.length / 2)) {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (name === NAME && mode.startsWith('100')) found.set(folder, oid);
        else if (mode === '40000' && requested.has(path)) below.set(path, oid);
      }
    }
    level = below;
  }
  return found;
}

/** Reads the files that {@link findAttributes} found. They must be in the store. */
export async function readAttributes(
  reader: ObjectReader,
  found: ReadonlyMap<string, string>,
): Promise<TreeAttributes> {
  const folders = [...found.keys()];
  const attributes = new Map<string, readonly AttributeRule[]>();
  let at = 0;
  for await (const { content } of reader.read(found.values(), LARGEST_FILE)) {
    const rules = parseAttributes(new TextDecoder().decode(content ?? new Uint8Array()));
    const folder = folders[at++] ?? '';
    if (rules.length > 0) attributes.set(folder, rules);
  }
  return attributes;
}

/** One entry of a git tree. */
export interface TreeEntry {
  readonly mode: string;
  /** In the format of `FilePath.path`. */
  readonly name: string;
  /** False when the name's bytes are not UTF-8. */
  readonly isText: boolean;
  readonly oid: string;
}

/** Parses a tree object whose oids have this many bytes. */
export function* parseTree(content: Uint8Array, oidLength: number): Generator<TreeEntry> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const end = bytes.indexOf(0, space);
    const mode = bytes.toString('latin1', at, space);
    const { path: name, pathBytes } = filePath(bytes.subarray(space + 1, end));
    at = end + 1 + oidLength;
    yield { mode, name, isText: pathBytes === undefined, oid: bytes.toString('hex', end + 1, at) };
  }
}
