import { existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Page } from './markdown.ts';

/**
 * Links that lead nowhere, as `file:line target: why`: to a file that is not there, to a heading that the file does not have,
 * or out of the repository. Addresses of the web are not asked.
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
