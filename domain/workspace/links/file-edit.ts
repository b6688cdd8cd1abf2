import type { FileLink, LinkKind } from './file-link.ts';
import { linkFileWith, readLinkFile, withLink, withoutLink } from './link-file.ts';

/** A change of one link in a file of the root: null stands for no link. */
export interface FileEdit {
  readonly kind: LinkKind;
  readonly from: string;
  readonly to: string;
  readonly before: FileLink | null;
  readonly after: FileLink | null;
}

/** The text after an edit, null for no file; or why it cannot be made: one sentence about what is there, without a subject. */
export type EditedText = { readonly text: string | null } | { readonly problem: string };

/** The text of a file, null for none, with the link that the edit wants. */
export function applyEdit({ kind, from, to, after }: FileEdit, text: string | null): EditedText {
  return set(kind, text, { from, to }, after);
}

/** The text of a file, which may have changed since in other places, with what was there before the edit. */
export function reverseEdit({ kind, from, to, before }: FileEdit, text: string | null): EditedText {
  return set(kind, text, { from, to }, before);
}

/** The link between two folders in the text of a file; null when it has none. */
export function linkIn(
  kind: LinkKind,
  text: string | null,
  { from, to }: Pick<FileLink, 'from' | 'to'>,
): FileLink | null {
  const found = readLinkFile(kind, text);
  return found.state === 'ours' ? (found.links.find((each) => each.from === from && each.to === to) ?? null) : null;
}

function set(
  kind: LinkKind,
  text: string | null,
  place: Pick<FileLink, 'from' | 'to'>,
  link: FileLink | null,
): EditedText {
  const found = readLinkFile(kind, text);
  switch (found.state) {
    case 'none':
      return { text: link === null ? null : linkFileWith(kind, null, [link]) };
    case 'foreign':
      return link === null ? { text } : { problem: 'is there, and is not made by Longhaul' };
    case 'changed':
      return { problem: 'has links that were changed by hand' };
    case 'ours': {
      const links = link === null ? withoutLink(found.links, place) : withLink(found.links, link);
      const twice = takenTwice(links);
      if (twice !== null) return { problem: `would take ${twice} from two folders` };
      const isSame = JSON.stringify(links) === JSON.stringify(found.links);
      return { text: isSame ? text : linkFileWith(kind, text, links) };
    }
  }
}

/** A package that two links take from different folders. */
function takenTwice(links: readonly FileLink[]): string | null {
  const paths = new Map<string, string>();
  for (const { name, path } of links.flatMap(({ by, takes }) => [...by, ...takes])) {
    if ((paths.get(name) ?? path) !== path) return name;
    paths.set(name, path);
  }
  return null;
}
