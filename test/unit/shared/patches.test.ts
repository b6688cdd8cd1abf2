import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PATCHES } from '../../../workflows/shared/patches.ts';

const workflows = fileURLToPath(new URL('../../../workflows', import.meta.url));
const sources = readdirSync(workflows, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(workflows, file), 'utf8') }));

test('each patch in use is registered, and each registered patch is in use', () => {
  const used = sources.flatMap(({ text }) => [...text.matchAll(/\bisPatched\('([\w-]+)'\)/g)].map(([, id = '']) => id));
  expect([...new Set(used)].sort()).toEqual(Object.keys(PATCHES).sort());
});

test('only the registry calls `patched`', () => {
  const asking = sources.filter(({ text }) => /\b(patched|deprecatePatch)\(/.test(text.replaceAll(/^ \*.*$/gm, '')));
  expect(asking.map(({ file }) => file)).toEqual(['shared/patches.ts']);
});
