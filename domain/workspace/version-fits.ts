import { satisfies, valid, validRange } from 'semver';
import type { Ecosystem } from './package-manifest.ts';

/**
 * True when a version fits a requirement in the notation of its ecosystem; null when this cannot be judged: a
 * requirement in a notation of its own (`workspace:*`, a tag, PEP 440), or a version that is not a semantic one.
 */
export function versionFits(ecosystem: Ecosystem, requirement: string, version: string): boolean | null {
  const found = valid(version.replace(/^v/, ''));
  const range = rangeOf(ecosystem, requirement.trim());
  if (found === null || range === null || validRange(range) === null) return null;
  return satisfies(found, range);
}

/** The requirement in the notation of npm; null when there is none. */
function rangeOf(ecosystem: Ecosystem, requirement: string): string | null {
  switch (ecosystem) {
    case 'npm':
      return requirement;
    case 'cargo': {
      // a plain version means ^, and a comma means "and"
      const parts = requirement.split(',').map((part) => part.trim());
      return parts.map((part) => (/^\d/.test(part) && !part.includes('*') ? `^${part}` : part)).join(' ');
    }
    case 'go': {
      // the least version; another major version is another module, except 0 and 1
      const least = valid(requirement.replace(/^v/, ''));
      if (least === null) return null;
      const major = Number(least.split('.')[0]);
      return `>=${least} <${major < 2 ? 2 : major + 1}.0.0-0`;
    }
    case 'hex': {
      const alternatives = requirement.split(/\s+or\s+/).map((part) => part.split(/\s+and\s+/).map(ofElixir));
      if (alternatives.flat().includes(null)) return null;
      return alternatives.map((part) => part.join(' ')).join(' || ');
    }
    case 'python':
      return null;
  }
}

/** One comparison of Elixir's `Version`, in the notation of npm; null when there is none. */
function ofElixir(comparison: string): string | null {
  const [, operator = '==', version = ''] = /^(~>|>=|<=|==|!=|>|<)?\s*(\S+)$/.exec(comparison.trim()) ?? [];
  if (version === '' || operator === '!=') return null;
  if (operator !== '~>') return `${operator === '==' ? '=' : operator}${version}`;
  const [core = '', pre] = version.split('-', 2);
  const [major = 0, minor = 0, patch] = core.split('.').map(Number);
  const next = patch === undefined ? `${major + 1}.0.0` : `${major}.${minor + 1}.0`;
  const least = patch === undefined ? `${major}.${minor}.0` : core;
  return `>=${least}${pre === undefined ? '' : `-${pre}`} <${next}-0`;
}
