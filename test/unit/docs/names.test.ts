import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/docs/markdown.ts';

const FOLDERS = ['platform', 'domain', 'workflows', 'activities', 'workers', 'client', 'stack', 'bench', 'examples'];

/** The names that a source declares and exports, without exports from other files. */
function exportedNames(path: string, source: string): ReadonlySet<string> {
  const { module } = parseSync(path, source);
  const entries = module.staticExports
    .flatMap(({ entries: each }) => each)
    .filter((entry) => entry.moduleRequest === null);
  return new Set(entries.flatMap(({ exportName: { name } }) => name ?? []));
}

/** Names that are exported by more than one source, each with the paths of these sources. */
function namesWithTwoMeanings(sources: ReadonlyMap<string, string>): Record<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  for (const [path, source] of sources) {
    for (const name of exportedNames(path, source)) paths.set(name, [...(paths.get(name) ?? []), path]);
  }
  return Object.fromEntries([...paths].filter(([, each]) => each.length > 1));
}

test('every exported name has one meaning in the whole repository', () => {
  const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }));
  expect(files.length).toBeGreaterThan(300);
  const found = namesWithTwoMeanings(new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')])));
  expect(found).toEqual({});
});

test('every kind of export is found; a re-export is not a second meaning', () => {
  const sources = {
    'one.ts': 'export interface A { readonly b: string }\nexport const c = 1, d = 2;\nexport type A2 = A;',
    'two.ts': 'type A = string;\nconst c = 3;\nexport type { A };\nexport { c as d };\nexport function c(): void {}',
    'three.ts': "export { A, type A2 } from './one.ts';\nexport * from './two.ts';\nexport const own = 1;",
    'four.ts': 'export class own {}\nexport const E = { a: 1 } as const;\nexport type E = keyof typeof E;',
  };
  expect(namesWithTwoMeanings(new Map(Object.entries(sources)))).toEqual({
    A: ['one.ts', 'two.ts'],
    c: ['one.ts', 'two.ts'],
    d: ['one.ts', 'two.ts'],
    own: ['three.ts', 'four.ts'],
  });
});
