import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EVENTS, PROCESS_EVENTS } from '../../../domain/shared/events.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DECLARED = new Map<string, string>(Object.entries({ ...EVENTS, ...PROCESS_EVENTS }));

/** The code of all layers that log. */
const SOURCES = ['activities', 'client', 'workers', 'workflows'].flatMap((layer) =>
  readdirSync(`${ROOT}${layer}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(`${ROOT}${layer}/${path}`, 'utf8')),
);

function found(pattern: RegExp): RegExpExecArray[] {
  return SOURCES.flatMap((source) => [...source.matchAll(pattern)]);
}

describe('events', () => {
  test('every event that is logged by its name is declared, with the level of its line', () => {
    const names = found(/\bevent: '(\w+)'/g).map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !DECLARED.has(name))).toEqual([]);
    const lines = found(/\blog(?:ger)?\.(\w+)\([^;]*?\bevent: '(\w+)'/g);
    expect(lines.length).toBeGreaterThan(2);
    for (const [line, level, name = ''] of lines) expect(DECLARED.get(name), line).toBe(level);
  });

  test('every event that is declared is logged somewhere', () => {
    const logged = new Set(
      found(/(?:\blogEvent\(|\blogProcess\([^']*|\bevent: )'(\w+)'/g).map(([, name]) => name ?? ''),
    );
    // the first word of a fleet flow's events is its verb
    const made = found(/\blogEvent\(`\$\{verb\}_(\w+)`/g).flatMap(([, rest]) =>
      ['sync', 'verify', 'remove'].map((verb) => `${verb}_${rest}`),
    );
    expect([...DECLARED.keys()].filter((name) => !logged.has(name) && !made.includes(name))).toEqual([]);
  });

  test('every event is in the documentation with its level', () => {
    const rows = readFileSync(`${ROOT}docs/events.md`, 'utf8').split('\n');
    for (const [event, level] of DECLARED) {
      expect(rows.find((row) => row.startsWith(`| \`${event}\``))).toContain(` | ${level} | `);
    }
  });
});
