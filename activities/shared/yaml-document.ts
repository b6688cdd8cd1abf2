import { distance } from 'fastest-levenshtein';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** A YAML document with the line number of every value. */
export interface YamlDocument {
  readonly value: unknown;
  /** The line of the value at a path, 1-based, or of its nearest parent; null for the whole document. */
  readonly lineOf: (keys: readonly PropertyKey[]) => number | null;
}

/** Maximum number of aliases that a document may resolve to: more are an attack. */
const MOST_ALIASES = 50;

/** Parses YAML 1.2. Throws `InvalidConfiguration` with file and line for invalid YAML and for duplicate keys. */
export function parseYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const { line } = lines.linePos(problem.pos[0]);
    throw invalid(`${file}:${line}`, problem.message.split('\n')[0] ?? problem.code);
  }
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
