import { existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Page } from './markdown.ts';

/**
 * Broken links, as `file:line target: why`: to a missing file, to a missing heading,
 * or out of the repository. Web addresses are not requested.
 */
export function brokenLinks(pages: readonly Page[], root: string): readonly string[] {
  const byPath = new Map(pages.map((page) => [page.path, page]));
  return pages.flatMap((page) =>
    page.links.flatMap(({ text: target, line }) => {
      const broken = (why: string): string[] => [`${page.path}:${line} ${target}: ${why}`];
      if (/^(https?|mailto):/.test(target)) return URL.canParse(target) ? [] : broken('not an address');
      const [file = '', fragment] = target.split('#');
      const path = file === '' ? page.path : normalize(join(page.path, '..', decodeURI(file)));
      if (path.startsWith('..')) return broken('leads out of the repository');
      const to = byPath.get(path);
      if (to === undefined && !existsSync(join(root, path))) return broken('no such file');
      if (fragment === undefined) return [];
      if (to === undefined) return broken('only documents have headings');
      return to.anchors.has(fragment) ? [] : broken('no such heading');
    }),
  );
}
