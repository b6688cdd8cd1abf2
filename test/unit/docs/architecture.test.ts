import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOMAIN, refusal, LAYERS, WINGS } from '../../../scripts/lint/plugin.mjs';
import { readPages, ROOT } from '../../support/docs/markdown.ts';

const page = readPages().find(({ path }) => path === 'docs/architecture.md');
const [layerTable = [], folderTable = []] = page?.tables.map((rows) => rows.slice(1)) ?? [];
const inCode = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
const folders = folderTable.flatMap(([cell = '']) => inCode(cell));

/** Folders directly below a folder, as `domain/git/`. */
const below = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}/`);

describe("the architecture document's list of layers", () => {
  test('has every layer, with the imports that lint allows it', () => {
    const documented = layerTable.map(([layer = '', imports = '']) => {
      const [allowed = '', types = ''] = imports.split('types of');
      return [inCode(layer)[0], { allowed: inCode(allowed).toSorted(), types: inCode(types).toSorted() }];
    });
    const withSlash = (names: readonly string[] = []): string[] => names.map((name) => `${name}/`).toSorted();
    const enforced = Object.entries(LAYERS).map(([layer, { allowed, types }]) => [
      `${layer}/`,
      { allowed: withSlash(allowed), types: withSlash(types) },
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(enforced));
  });

  test('has exactly the existing folders of every layer', () => {
    const there = ['domain', 'workflows', 'activities', 'client'].flatMap(below);
    expect(folders.toSorted()).toEqual(there.toSorted());
    for (const layer of ['platform', 'workers', 'stack']) expect(below(layer), layer).toEqual([]);
  });

  test('has the folders of domain/ in the order in which they may import each other', () => {
    const order = folders
      .filter((folder) => folder.startsWith('domain/'))
      .map((folder) => folder.split('/')[1] ?? '')
      .map((name) => (WINGS.includes(name) ? 'wing' : name));
    expect([...new Set(order)]).toEqual(DOMAIN);
  });
});

test.each([
  [
    'workers/main.ts',
    'activities/catalog/tools.ts',
    'workers/ is independent of wings: only workers/wings.ts may import activities/catalog/tools.ts',
  ],
  [
    'client/cli/stack/doctor.ts',
    'client/cli/catalog/alerts-finding.ts',
    'client/ is independent of wings: only client/cli/program.ts, client/console/pages.ts, client/gateway/server.ts, client/index.ts may import client/cli/catalog/alerts-finding.ts',
  ],
  ['client/cli/program.ts', 'client/cli/catalog/program.ts', null],
  ['client/mcp/library.ts', 'activities/catalog/open-index.ts', null],
  ['client/console/parts.ts', 'client/cli/finding.ts', 'client/console/ may not import client/cli/'],
  ['client/gateway/server.ts', 'client/cli/finding.ts', 'client/gateway/ may not import client/cli/'],
  ['client/console/release/pages.ts', 'client/catalog/search.ts', 'the wing release may not import the wing catalog'],
  ['client/console/pages.ts', 'client/console/release/pages.ts', null],
  ['client/catalog/search.ts', 'client/cli/finding.ts', 'client/catalog/ may not import client/cli/'],
  ['client/cli/catalog/report.ts', 'client/cli/finding.ts', null],
  [
    'test/support/docs/examples.ts',
    'domain/catalog/flows/index.ts',
    'test/support/ is independent of wings: only test/support/catalog/ may import domain/catalog/flows/index.ts',
  ],
  [
    'test/real/release/deploy.test.ts',
    'test/support/catalog/flows.ts',
    'tests of the wing release may not import the wing catalog',
  ],
  ['test/unit/docs/examples.test.ts', 'test/support/catalog/files.ts', null],
  ['workers/wings.ts', 'activities/catalog/roles.ts', null],
  ['workers/roles.ts', 'activities/shared/wing-role.ts', null],
  ['activities/upkeep/roles.ts', 'activities/catalog/tools.ts', 'the wing upkeep may not import the wing catalog'],
  [
    'activities/shared/input.ts',
    'activities/catalog/tools.ts',
    'activities/shared/ is independent of wings and may not import activities/catalog/tools.ts',
  ],
  ['workflows/catalog/fleet.ts', 'activities/catalog/groups.ts', 'workflows/ may not import activities/'],
  ['client/gateway/server.ts', 'client/cli/program.ts', 'client/gateway/ may not import client/cli/'],
  ['client/cli/catalog/program.ts', 'client/cli/commands.ts', null],
  [
    'domain/git/head.ts',
    'domain/catalog/index/refs.ts',
    'domain/git/ may not import domain/catalog/, which is above it',
  ],
])('lint says whether %s may import %s', (from, to, why) => {
  expect(refusal(from, to, false)).toBe(why);
});
