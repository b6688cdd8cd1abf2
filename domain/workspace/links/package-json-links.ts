import { applyEdits, modify, type ParseError, parse } from 'jsonc-parser';
import { checkFileLinks } from './file-link.schema.ts';
import { memberFoldersOf } from './link-body.ts';
import type { FileLink, LinkFileState } from './file-link.ts';

/** The key of the `package.json` in the root that has the links: JSON has no comments. */
const KEY = 'longhaul';

/** The links in the text of a `package.json`. */
export function packageJsonLinks(text: string): LinkFileState {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors);
  if (errors.length > 0 || typeof value !== 'object' || value === null || !(KEY in value)) {
    return { state: 'foreign' };
  }
  const { [KEY]: ours, workspaces } = value as Readonly<Record<string, unknown>>;
  const links =
    typeof ours === 'object' && ours !== null && 'links' in ours && Object.keys(ours).length === 1
      ? checkFileLinks(ours.links)
      : null;
  const isWhole = links !== null && JSON.stringify(workspaces) === JSON.stringify(workspacesOf(links));
  return isWhole ? { state: 'ours', links } : { state: 'changed' };
}

/** The text of a `package.json` with these links; the rest of it stays. Null when nothing else is in it, and no link. */
export function packageJsonWith(text: string | null, links: readonly FileLink[]): string | null {
  if (text === null) {
    if (links.length === 0) return null;
    return `${JSON.stringify({ private: true, workspaces: workspacesOf(links), [KEY]: { links } }, null, 2)}\n`;
  }
  if (links.length === 0) {
    const rest = Object.entries(parse(text) as object).filter(([key]) => key !== KEY && key !== 'workspaces');
    if (rest.length === 0 || (rest.length === 1 && JSON.stringify(rest[0]) === '["private",true]')) return null;
  }
  const isEmpty = links.length === 0;
  const withMembers = changed(text, 'workspaces', isEmpty ? undefined : workspacesOf(links));
  return changed(withMembers, KEY, isEmpty ? undefined : { links });
}

function changed(text: string, key: string, value: unknown): string {
  const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' };
  return applyEdits(text, modify(text, [key], value, { formattingOptions }));
}

function workspacesOf(links: readonly FileLink[]): readonly string[] {
  return memberFoldersOf(links.flatMap(({ by, takes }) => [...by, ...takes]));
}
