import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOMAIN, LAYERS, WINGS } from '../../../scripts/lint/plugin.mjs';
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

  test('has every folder of every layer with folders, and none that is not there', () => {
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
