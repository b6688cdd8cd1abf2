import { parsePipRequirementsLine } from 'pip-requirements-js';

/** A requirement as in PEP 508. */
export interface PythonRequirement {
  /** Normalized as in PEP 503. */
  readonly name: string;
  /** The version specifiers, with commas; `*` where there are none; null for one with an address. */
  readonly specifier: string | null;
  /** The address after `@`. */
  readonly url: string | null;
}

/** The parser needs memory for each character. */
const LONGEST = 4_096;

/** Parses a requirement (PEP 508); null when it is none. */
export function parsePythonRequirement(text: string): PythonRequirement | null {
  if (text.length > LONGEST || /[\r\n#]/.test(text.replace(/@.*$/s, ''))) return null;
  let parsed;
  try {
    parsed = parsePipRequirementsLine(text);
  } catch {
    return null;
  }
  if (parsed?.type === 'ProjectURL') return { name: normalized(parsed.name), specifier: null, url: parsed.url };
  if (parsed?.type !== 'ProjectName') return null;
  const specifiers = (parsed.versionSpec ?? []).map(({ operator, version }) => `${operator}${version}`);
  return { name: normalized(parsed.name), specifier: specifiers.join(',') || '*', url: null };
}

/** A project's name as its registry compares it (PEP 503). */
export function normalized(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

/**
 * A version constraint of Poetry as a specifier of PEP 440; as written when it has alternatives (`||`), which PEP 440
 * does not know.
 */
export function ofPoetry(constraint: string): string {
  if (constraint.includes('|')) return constraint.trim();
  const parts = constraint
    .split(/\s*,\s*|(?<=[\w*])\s+(?=[\^~<>=!\d])/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.flatMap(specifiersOf).join(',') || '*';
}

function specifiersOf(part: string): string[] {
  const [, operator = '', version = ''] = /^(\^|~(?!=)|~=|===?|!=|<=?|>=?)?\s*(.+)$/.exec(part) ?? [];
  if (version === '*' && operator === '') return [];
  const release = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version);
  if (operator !== '^' && operator !== '~')
    return [`${operator === '' || operator === '=' ? '==' : operator}${version}`];
  if (release === null) return [part];
  const numbers = release.slice(1).flatMap((number) => (number === undefined ? [] : [Number(number)]));
  // ^ keeps the first number that is not 0, ~ the second one
  const firstNumber = numbers.findIndex((number) => number > 0);
  const kept = operator === '~' ? Math.min(1, numbers.length - 1) : firstNumber < 0 ? numbers.length - 1 : firstNumber;
  const next = numbers.slice(0, kept + 1).map((number, index) => (index === kept ? number + 1 : number));
  return [`>=${version}`, `<${next.join('.')}`];
}
