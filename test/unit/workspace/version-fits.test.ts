import { expect, test } from 'vitest';
import type { Ecosystem } from '../../../domain/workspace/package-manifest.ts';
import { versionFits } from '../../../domain/workspace/version-fits.ts';

test.for<[Ecosystem, requirement: string, version: string, boolean | null]>([
  ['npm', '^1.2.0', '1.9.0', true],
  ['npm', '^1.2.0', '2.0.0', false],
  ['npm', '>=1 <2 || 3.x', '3.1.0', true],
  ['npm', '^1.2.0', '1.3.0-beta.1', false],
  ['npm', '*', '0.0.1', true],
  ['npm', 'latest', '1.0.0', null],
  ['npm', 'workspace:*', '1.0.0', null],
  ['npm', '^1.2.0', 'one', null],
  // https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html
  ['cargo', '1.2.3', '1.9.0', true],
  ['cargo', '1.2.3', '2.0.0', false],
  ['cargo', '0.2.3', '0.3.0', false],
  ['cargo', '0.0.3', '0.0.4', false],
  ['cargo', '~1.2', '1.2.9', true],
  ['cargo', '~1.2', '1.3.0', false],
  ['cargo', '1.*', '1.5.0', true],
  ['cargo', '1.*', '2.0.0', false],
  ['cargo', '=1.2', '1.2.7', true],
  ['cargo', '>=1.2, <1.5', '1.4.9', true],
  ['cargo', '>=1.2, <1.5', '1.5.0', false],
  ['cargo', '1.2', '1.3.0-alpha.1', false],
  ['cargo', '1.3.0-alpha', '1.3.0-alpha.1', true],
  ['cargo', '^1 || ^2', '1.0.0', null],
  ['cargo', '1 - 2', '1.0.0', null],
  ['go', 'v1.2.3', 'v1.2.3', true],
  ['go', 'v1.2.3', 'v1.9.0', true],
  ['go', 'v1.2.3', 'v1.2.2', false],
  ['go', 'v0.5.0', 'v1.0.0', true],
  ['go', 'v1.0.0', 'v2.0.0', false],
  ['go', 'v2.0.0', 'v3.0.0', false],
  ['go', 'v2.0.0+incompatible', 'v3.0.0+incompatible', true],
  ['go', 'v1.0.0', 'v2.0.0+incompatible', true],
  ['go', 'v0.0.0-20240101000000-aaaaaaaaaaaa', 'v0.0.0-20250101000000-bbbbbbbbbbbb', true],
  ['go', 'v1.2.3', 'v1.2.3-rc.1', false],
  ['go', 'latest', 'v1.0.0', null],
  ['python', '>=1.0,<2', '1.9', true],
  ['python', '>=1.0,<2', '2.0', false],
  ['python', '~=1.4.2', '1.4.9', true],
  ['python', '~=1.4.2', '1.5.0', false],
  ['python', '==1.*', '1.7.2', true],
  ['python', '!=1.5', '1.5.0', false],
  ['python', '>=1.0', '2.0rc1', false],
  ['python', '>=2.0rc1', '2.0rc2', true],
  ['python', '*', '1.0', true],
  ['python', '>=1.0', '1!0.1', true],
  ['python', '^1.0', '1.0', null],
  ['python', '>=1.0', 'x', null],
  ['hex', '~> 2.0', '2.9.9', true],
  ['hex', '~> 2.0', '3.0.0', false],
  ['hex', '~> 2.0', '3.0.0-rc.0', false],
  ['hex', '~> 2.0.1', '2.0.9', true],
  ['hex', '~> 2.0.1', '2.1.0', false],
  ['hex', '~> 2.0.1', '2.0.0', false],
  ['hex', '~> 1.0-rc.1', '1.0.0-rc.2', true],
  ['hex', '>= 1.0.0 and < 2.0.0', '1.5.0', true],
  ['hex', '>= 1.0.0 and < 2.0.0', '2.0.0', false],
  ['hex', '~> 1.0 or ~> 2.0', '2.4.0', true],
  ['hex', '== 2.0.0 and == 2.0.0 or == 1.0.0', '1.0.0', true],
  ['hex', '== 1.0.0 or == 2.0.0 and == 3.0.0', '1.0.0', true],
  ['hex', '1.0.0', '1.0.0', true],
  ['hex', '== 1.0.0', '1.0.1', false],
  ['hex', '!= 1.0.0', '1.0.1', true],
  ['hex', '>= 1.0.0', '1.1.0-dev', true],
  ['hex', '>= 1.0', '1.1.0', null],
  ['hex', 'latest', '1.1.0', null],
  ['hex', '~> 2.0', '2.0', null],
])('%s: %s and %s', ([ecosystem, requirement, version, fits]) => {
  expect(versionFits(ecosystem, requirement, version)).toBe(fits);
});

test.for(['npm', 'cargo', 'go', 'python', 'hex'] as const)(
  '%s: long texts are judged at once, or not at all',
  (ecosystem) => {
    for (const text of [
      '1'.repeat(1_000),
      '1.'.repeat(500),
      `${'~> 1.0 or '.repeat(90)}~> 1.0`,
      ' '.repeat(1_000),
      '>'.repeat(1_000),
    ]) {
      expect(versionFits(ecosystem, text, '1.0.0')).not.toBe(undefined);
      expect(versionFits(ecosystem, '1.0.0', text)).not.toBe(undefined);
    }
    expect(versionFits(ecosystem, '1.0.0'.padEnd(2_000), '1.0.0')).toBeNull();
  },
);
