import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { DesiredRepo } from './workspace-manifest.ts';

/** The list of repositories in the text of a manifest: where its items are. Offsets are in UTF-16 units. */
interface ManifestList {
  /** In brackets, or one item a line after a dash. */
  readonly isBracketed: boolean;
  readonly items: readonly { readonly start: number; readonly end: number }[];
  /** Where the first item of a list in brackets goes. */
  readonly start: number;
  readonly write: (repo: NewRepo) => string;
}

/** What a manifest says about a repository that is added. */
export type NewRepo = Pick<DesiredRepo, 'name' | 'path' | 'origin' | 'branch'>;

/**
 * The text of a manifest with more repositories at the end of its list: everything else keeps its bytes. Null when the list
 * is not found; the caller reads the result and compares it with what it wanted.
 */
export function withRepositories(file: 'yaml' | 'graft', text: string, repos: readonly NewRepo[]): string | null {
  const list = file === 'yaml' ? yamlList(text) : elixirList(text);
  if (list === null) return null;
  const { items, isBracketed, write } = list;
  const last = items.at(-1);
  if (last === undefined) {
    if (!isBracketed) return null;
    return text.slice(0, list.start) + repos.map(write).join(', ') + text.slice(list.start);
  }
  const isAlone = /^[\t ]*(?:- *)?$/.test(text.slice(lineStart(text, last.start), last.start));
  const indent = /^[\t ]*/.exec(text.slice(lineStart(text, last.start)))?.[0] ?? '';
  const added = repos.map((repo) => {
    if (!isBracketed) return `\n${indent}- ${write(repo)}`;
    return `,${isAlone ? `\n${indent}` : ' '}${write(repo)}`;
  });
  // a comment behind the last item stays behind it
  const end = isBracketed ? last.end : lineEnd(text, last.end);
  return text.slice(0, end) + added.join('') + text.slice(end);
}

/** The text of a new `longhaul.workspace.yaml` with these repositories. */
export function manifestText(repos: readonly NewRepo[]): string {
  return ['repositories:', ...repos.map((repo) => `  - ${yamlItem(repo)}`), ''].join('\n');
}

/** The text of a manifest without the items at these places of its list; see {@link withRepositories}. */
export function withoutRepositories(file: 'yaml' | 'graft', text: string, places: readonly number[]): string | null {
  const list = file === 'yaml' ? yamlList(text) : elixirList(text);
  if (list === null) return null;
  const { items, isBracketed } = list;
  let left = text;
  let count = items.length;
  for (const at of [...places].sort((a, b) => b - a)) {
    const [item, before, after] = [items[at], items[at - 1], items[at + 1]];
    if (item === undefined) return null;
    const isLast = at === count - 1;
    let { start, end } = item;
    if (!isBracketed) {
      start = lineStart(left, start);
      end = Math.min(lineEnd(left, end) + 1, left.length);
    } else if (!isLast && after !== undefined) end = after.start;
    else if (before !== undefined) start = before.end;
    if (isLast) count = at;
    left = left.slice(0, start) + left.slice(end);
  }
  return left;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function lineEnd(text: string, at: number): number {
  const next = text.indexOf('\n', at);
  return next < 0 ? text.length : next;
}

function yamlItem({ name, path, origin, branch }: NewRepo): string {
  const parts = [
    `name: ${JSON.stringify(name)}`,
    ...(path === name ? [] : [`path: ${JSON.stringify(path)}`]),
    ...(origin === null ? [] : [`origin: ${JSON.stringify(origin)}`]),
    ...(branch === null ? [] : [`branch: ${JSON.stringify(branch)}`]),
  ];
  return `{ ${parts.join(', ')} }`;
}

function yamlList(text: string): ManifestList | null {
  const root = parseDocument(text).contents;
  const pair = isMap(root) ? root.items.find(({ key }) => isScalar(key) && key.value === 'repositories') : undefined;
  const list = pair?.value;
  if (!isSeq(list) || !list.range) return null;
  const items = list.items.flatMap((item) => {
    const range = isMap(item) ? item.range : null;
    return range == null ? [] : [{ start: range[0], end: range[1] }];
  });
  if (items.length !== list.items.length) return null;
  // a map that spans lines ends after its line break
  const trimmed = items.map(({ start, end }) => ({ start, end: start + text.slice(start, end).trimEnd().length }));
  return { isBracketed: list.flow === true, items: trimmed, start: list.range[0] + 1, write: yamlItem };
}

const OPEN = '[{';
const CLOSE = ']}';

/** The list `siblings` of a literal of Elixir. Texts and comments in it may have brackets. */
function elixirList(text: string): ManifestList | null {
  const key = /^[^#"]*?\bsiblings:\s*\[/m.exec(text);
  if (key === null) return null;
  const start = key.index + key[0].length;
  const items: { start: number; end: number }[] = [];
  let depth = 0;
  let first = -1;
  let last = -1;
  const endItem = (): void => {
    if (first >= 0) items.push({ start: first, end: last });
    first = -1;
  };
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '#') {
      const next = text.indexOf('\n', at);
      at = next < 0 ? text.length : next;
      continue;
    }
    if (/\s/.test(char)) continue;
    if (depth === 0 && char === ']') {
      endItem();
      return { isBracketed: true, items, start, write: elixirItem };
    }
    if (depth === 0 && char === ',') {
      endItem();
      continue;
    }
    if (first < 0) first = at;
    if (OPEN.includes(char)) depth++;
    if (CLOSE.includes(char)) depth--;
    if (char === '"') for (at++; at < text.length && text.charAt(at) !== '"'; at++) if (text.charAt(at) === '\\') at++;
    last = at + 1;
  }
  return null;
}

function elixirItem({ name, path, origin }: NewRepo): string {
  const atom = /^[a-z_][\w@]*$/.test(name) ? `:${name}` : `:${JSON.stringify(name)}`;
  const from = origin === null ? '' : `, origin: ${elixirText(origin)}`;
  return `%{name: ${atom}, path: ${elixirText(path)}${from}}`;
}

function elixirText(text: string): string {
  return `"${text.replaceAll(/["\\#]/g, (char) => `\\${char}`)}"`;
}
