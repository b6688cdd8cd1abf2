import { distance } from 'fastest-levenshtein';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** A YAML document that people wrote: its value, and where in the file each part of it stands. */
export interface YamlDocument {
  readonly value: unknown;
  /** The line of the value at a place, 1-based, or of the nearest one around it; null for the whole document. */
  readonly lineOf: (keys: readonly PropertyKey[]) => number | null;
}

/** Aliases that a document may resolve to: more are a bomb. */
const MOST_ALIASES = 50;

/** Reads YAML 1.2. Throws `InvalidConfiguration` that names file and line for whatever is no YAML, and for a key given twice. */
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

/** What to say of an unknown key: the known one that it probably means, or all that are known. */
export function nearestKey(unknown: string, known: readonly string[]): string {
  const [best] = [...known].sort((a, b) => distance(unknown, a) - distance(unknown, b));
  if (best === undefined) return '.';
  return distance(unknown, best) <= 3 ? `; did you mean "${best}"?` : `; known here are ${known.join(', ')}.`;
}

/** The node at a place, or the nearest one around it. */
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
