import { distance } from 'fastest-levenshtein';
import {
  type Document,
  isCollection,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** A YAML document with the line number of every value. */
export interface YamlDocument {
  readonly value: unknown;
  /** The line of the value at a path, 1-based, or of its nearest parent; null for the whole document. */
  readonly lineOf: (keys: readonly PropertyKey[]) => number | null;
}

/** Maximum number of aliases in a document, and of values that they may resolve to: more are an attack. */
const MOST_ALIASES = 50;
/** Levels of nesting. Every level takes stack. */
const MOST_LEVELS = 100;

/**
 * Parses YAML 1.2. Throws `InvalidConfiguration` with file and line for invalid YAML, duplicate keys, more than 50
 * aliases and more than 100 levels. Takes time in proportion to the text.
 */
export function parseYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const refuse = (offset: number, what: string): never => {
    throw invalid(`${file}:${lines.linePos(offset).line}`, what);
  };
  // the library compares each key with all others, and shows the place of each error in its message
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, strict: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const overflows = problem.message.includes('call stack');
    refuse(problem.pos[0], overflows ? TOO_DEEP : problem.message.split('\n')[0] || problem.code);
  }
  let aliases = 0;
  visit(document, {
    Seq: (_at, node, path) => {
      if (isDeep(path)) refuse(startOf(node), TOO_DEEP);
    },
    Map: (_at, node, path) => {
      if (isDeep(path)) refuse(startOf(node), TOO_DEEP);
      const repeated = repeatedKey(node.items);
      if (repeated) refuse(startOf(repeated), `the key ${JSON.stringify(repeated.value)} is not unique.`);
    },
    // each is found by a search of the whole document
    Alias: (_at, node, path) => {
      const isInside = path.some((parent) => isCollection(parent) && parent.anchor === node.source);
      if (isInside) refuse(startOf(node), `the alias *${node.source} refers to what contains it.`);
      if (++aliases > MOST_ALIASES) refuse(startOf(node), `there are more than ${MOST_ALIASES} aliases.`);
    },
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES }) ?? {};
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
  return {
    value,
    lineOf(keys) {
      const node = nearestNode(document, keys);
      return node === null ? null : lines.linePos(node.range[0]).line;
    },
  };
}

/** The hint for an unknown key: the known key that was probably meant, or all known keys. */
export function nearestKey(unknown: string, known: readonly string[]): string {
  const [best] = [...known].sort((a, b) => distance(unknown, a) - distance(unknown, b));
  if (best === undefined) return '.';
  return distance(unknown, best) <= 3 ? `; did you mean "${best}"?` : `; known keys are ${known.join(', ')}.`;
}

const TOO_DEEP = `it has more than ${MOST_LEVELS} levels.`;

function isDeep(path: readonly unknown[]): boolean {
  return path.filter(isCollection).length > MOST_LEVELS;
}

function startOf({ range }: Node): number {
  return range?.[0] ?? 0;
}

/** The second of two equal keys of a mapping; null when there are none. Keys that are no scalars are refused later. */
function repeatedKey(items: readonly Pair[]): Scalar | null {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) return key;
    seen.add(key.value);
  }
  return null;
}

/** The node at a path, or its nearest parent. */
function nearestNode(document: Document, keys: readonly PropertyKey[]): { range: [number, number, number] } | null {
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true);
    if (isNode(node)) return node;
  }
  return null;
}

function isNode(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function invalid(where: string, what: string): LonghaulError {
  return new LonghaulError('InvalidConfiguration', `${where}: ${what}`);
}
