import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { docstringsOf } from '../../support/docs/docstrings.ts';
import { ROOT } from '../../support/docs/markdown.ts';

const LAYERS = ['platform', 'domain', 'workflows', 'activities', 'workers', 'client', 'stack'];

test('every export of the product has a docstring', () => {
  const files = LAYERS.flatMap((layer) => globSync(`${layer}/**/*.ts`, { cwd: ROOT }));
  const coverage = files.map((file) => docstringsOf(file, readFileSync(join(ROOT, file), 'utf8')));
  const total = coverage.reduce((sum, one) => sum + one.total, 0);
  const missing = coverage.flatMap((one) => one.missing);
  console.info(`docstrings: ${total - missing.length} of ${total}`);
  expect(total).toBeGreaterThan(1_000);
  expect(missing).toEqual([]);
});

test('an export without a docstring is reported with file and line', () => {
  const source = `
/** Documented. */
export const a = 1;
export const b = 2;
// not a docstring
export function c(): void {}
/** */
export type D = string;
/** Documented; its fields are not. */
export interface E {
  readonly needed: string;
  readonly optional?: string;
  method(): void;
  /** Documented. */
  readonly other?: string;
}
/** Documented, not for what comes after the next. */
export class F {
  readonly field = 1;
  readonly #hidden = 1;
  private own = 1;
  constructor() {}
  method(): void {}
}
export { a as again } from './elsewhere.ts';
const kept = 1;
export default kept;
`;
  const { total, missing } = docstringsOf('x.ts', source);
  expect(total).toBe(12);
  expect(missing).toEqual([
    'x.ts:4 b',
    'x.ts:6 c',
    'x.ts:8 D',
    'x.ts:12 E.optional',
    'x.ts:13 E.method',
    'x.ts:19 F.field',
    'x.ts:23 F.method',
    'x.ts:27 default',
  ]);
});

test('a source that cannot be parsed is an error', () => {
  expect(() => docstringsOf('x.ts', 'export const = 1;')).toThrow('x.ts cannot be parsed');
});
