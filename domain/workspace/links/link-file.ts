import type { FileLink, LinkFileState, LinkKind } from './file-link.ts';
import { parseFileLinks } from './file-link.schema.ts';
import { linkLinesOf, LINE_COMMENT } from './link-body.ts';
import { packageJsonLinks, packageJsonWith } from './package-json-links.ts';

/** The links in the text of a file; null when there is no file. */
export function readLinkFile(kind: LinkKind, text: string | null): LinkFileState {
  if (text === null) return { state: 'none' };
  if (kind === 'npm') return packageJsonLinks(text);
  const block = blockIn(kind, text);
  if (block === null) return { state: text.includes(' longhaul:begin ') ? 'changed' : 'foreign' };
  const links = parseFileLinks(block.json);
  return links !== null && block.text === blockOf(kind, links) ? { state: 'ours', links } : { state: 'changed' };
}

/**
 * The text of a file that has these links instead of those that it has. What a person has written around them stays. Null
 * when nothing is left. The file must be ours, or not be there.
 */
export function linkFileWith(kind: LinkKind, text: string | null, links: readonly FileLink[]): string | null {
  if (kind === 'npm') return packageJsonWith(text, links);
  const block = text === null ? null : blockIn(kind, text);
  const [before, after] = block === null ? ['', ''] : [block.before, block.after];
  const whole = `${before}${links.length === 0 ? '' : blockOf(kind, links)}${after}`;
  return whole.trim() === '' ? null : whole;
}

/** The links with one more, or with another one in its place; in the order of their folders. */
export function withLink(links: readonly FileLink[], link: FileLink): readonly FileLink[] {
  const all = [...withoutLink(links, link), link];
  return all.sort((a, b) => (a.from === b.from ? (a.to < b.to ? -1 : 1) : a.from < b.from ? -1 : 1));
}

/** The links without the one between two folders. */
export function withoutLink(
  links: readonly FileLink[],
  { from, to }: Pick<FileLink, 'from' | 'to'>,
): readonly FileLink[] {
  return links.filter((other) => other.from !== from || other.to !== to);
}

/** The part of a text that is ours. */
interface Block {
  readonly before: string;
  readonly text: string;
  readonly after: string;
  /** The links, as JSON. */
  readonly json: string;
}

/** Null unless there is exactly one block. */
function blockIn(kind: Exclude<LinkKind, 'npm'>, text: string): Block | null {
  const comment = LINE_COMMENT[kind];
  const begin = `${comment} longhaul:begin `;
  const end = `${comment} longhaul:end\n`;
  const at = text.startsWith(begin) ? 0 : text.indexOf(`\n${begin}`) + 1;
  if (at === 0 && !text.startsWith(begin)) return null;
  const ending = text.indexOf(`\n${end}`, at);
  if (ending < 0) return null;
  const stop = ending + 1 + end.length;
  const json = text.slice(at + begin.length, text.indexOf('\n', at));
  const [before, after] = [text.slice(0, at), text.slice(stop)];
  if (after.includes(begin)) return null;
  return { before, text: text.slice(at, stop), after, json };
}

/** The links are in a comment of the block, so that the file alone says what was linked and whether it was changed. */
function blockOf(kind: Exclude<LinkKind, 'npm'>, links: readonly FileLink[]): string {
  const comment = LINE_COMMENT[kind];
  return [
    `${comment} longhaul:begin ${JSON.stringify(links)}`,
    `${comment} Links of this workspace: "longhaul workspace plan" changes them. What is outside of these lines is yours.`,
    ...linkLinesOf(kind, links),
    `${comment} longhaul:end`,
    '',
  ].join('\n');
}
