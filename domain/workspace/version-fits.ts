import {
  satisfies as satisfiesPython,
  valid as validPython,
  validRange as validPythonRange,
} from '@renovatebot/pep440';
import { compare, major, parse, satisfies, valid, validRange } from 'semver';
import type { Ecosystem } from './package-manifest.ts';

/** Longer requirements and versions are not judged. */
const LONGEST = 1_024;

/**
 * True when a version fits a requirement in the notation of its ecosystem, as the ecosystem's own tool judges it; null
 * when this cannot be judged: a tag (`latest`), a notation that the ecosystem does not have, or a version that is none.
 *
 * - Npm, Cargo: semantic versions; a pre-release fits only a requirement that names one of the same version.
 * - Go: minimal version selection: this version or a later one of the same major version, which is the same module.
 * - Python: PEP 440; a pre-release fits only a requirement that names one.
 * - Hex: Elixir's `Version.match?`, for which a pre-release is less than its version.
 */
export function versionFits(ecosystem: Ecosystem, requirement: string, version: string): boolean | null {
  if (requirement.length > LONGEST || version.length > LONGEST) return null;
  const [required, found] = [requirement.trim(), version.trim()];
  switch (ecosystem) {
    case 'npm':
      return fitsRange(required, found);
    case 'cargo': {
      const range = rangeOfCargo(required);
      return range === null ? null : fitsRange(range, found);
    }
    case 'go':
      return fitsGo(required, found);
    case 'python':
      return fitsPython(required, found);
    case 'hex':
      return fitsHex(required, found);
  }
}

function fitsRange(range: string, version: string): boolean | null {
  if (valid(version, LOOSE) === null || validRange(range, LOOSE) === null) return null;
  return satisfies(version, range, LOOSE);
}

/** As npm itself reads versions. */
const LOOSE = { loose: true };

/** A comparator of Cargo, in which parts of a version can be missing or `*`. */
const CARGO_COMPARATOR =
  /^(\^|~|=|<=?|>=?)?\s*(\*|\d+(?:\.(?:\d+|[*xX])){0,2}(?:-[0-9A-Za-z-.]+)?(?:\+[0-9A-Za-z-.]+)?)$/;

/** In the notation of npm; null when it is no requirement. A plain version means `^`, a comma "and". */
function rangeOfCargo(requirement: string): string | null {
  const ranges = requirement.split(',').map((part) => {
    const [, operator = '^', version] = CARGO_COMPARATOR.exec(part.trim()) ?? [];
    if (version === undefined) return null;
    return /[*xX]/.test(version.replace(/[-+].*$/, '')) ? version : `${operator}${version}`;
  });
  return ranges.includes(null) ? null : ranges.join(' ');
}

function fitsGo(required: string, found: string): boolean | null {
  const [least, version] = [parse(required.replace(/^v/, '')), parse(found.replace(/^v/, ''))];
  if (least === null || version === null) return null;
  return suffixOf(required, major(least)) === suffixOf(found, major(version)) && compare(version, least) >= 0;
}

/**
 * The number in the path of a Go module: versions 0 and 1 have none, and neither has a later one that is marked as
 * incompatible.
 */
function suffixOf(version: string, number: number): number | null {
  return number < 2 || version.endsWith('+incompatible') ? null : number;
}

function fitsPython(required: string, found: string): boolean | null {
  const specifier = required === '*' ? '' : required;
  if (validPython(found) === null || (specifier !== '' && !validPythonRange(specifier))) return null;
  return satisfiesPython(found, specifier, {});
}

/** One comparison of Elixir's `Version`. */
const HEX_COMPARISON =
  /^(~>|>=|<=|==|!=|!|>|<)?\s*(\d+)\.(\d+)(?:\.(\d+))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-.]+)?$/;

function fitsHex(required: string, found: string): boolean | null {
  const version = valid(found);
  if (version === null || !/^\d/.test(found)) return null;
  const alternatives = required.split(/\s+or\s+/).map((alternative) => {
    const comparisons = alternative.split(/\s+and\s+/).map((each) => fitsComparison(each, version));
    return comparisons.includes(null) ? null : !comparisons.includes(false);
  });
  return alternatives.includes(null) ? null : alternatives.includes(true);
}

function fitsComparison(comparison: string, version: string): boolean | null {
  const [, operator = '==', high = '', low = '', patch, pre = ''] = HEX_COMPARISON.exec(comparison.trim()) ?? [];
  if (high === '') return null;
  if (operator === '~>') {
    const next = patch === undefined ? `${Number(high) + 1}.0.0-0` : `${high}.${Number(low) + 1}.0-0`;
    const least = valid(`${high}.${low}.${patch ?? 0}${pre}`);
    return least === null ? null : compare(version, least) >= 0 && compare(version, next) < 0;
  }
  const other = patch === undefined ? null : valid(`${high}.${low}.${patch}${pre}`);
  if (other === null) return null;
  const order = compare(version, other);
  switch (operator) {
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '!=':
    case '!':
      return order !== 0;
    default:
      return order === 0;
  }
}
