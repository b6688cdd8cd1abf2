import { type Node, parseTree, printParseErrorCode, type ParseError } from 'jsonc-parser';
import { DEEPEST_NESTING } from './limits.ts';
import type { ManifestFiles } from './manifest-files.ts';
import { linesOf } from './text-lines.ts';

/** A value in a JSON file, with its place. */
export interface JsonValue {
  /** The value: strings, numbers, booleans and null as such; null for objects and arrays, which have members. */
  readonly value: string | number | boolean | null;
  readonly type: 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';
  /** Line of the value, from 1. */
  readonly line: number;
  /** Members of an object by key, in their order; of two with the same key the last. */
  readonly members: ReadonlyMap<string, JsonValue>;
  /** Elements of an array. */
  readonly elements: readonly JsonValue[];
}

/**
 * Parses a JSON file (RFC 8259). Reports a syntax error and gives null; reports keys that are given twice, of which the
 * last one counts, as for JSON.parse.
 */
export function parseJson(files: ManifestFiles, file: string, content: string): JsonValue | null {
  // as npm does
  const text = content.replace(/^\ufeff/, '');
  const lines = linesOf(text);
  const deep = tooDeep(text);
  if (deep !== null) {
    files.report('syntax', file, lines.lineAt(deep), `Brackets are nested more than ${DEEPEST_NESTING} levels deep.`);
    return null;
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [error] = errors;
  if (error !== undefined || root === undefined) {
    const what = error === undefined ? 'it is empty' : printParseErrorCode(error.error);
    files.report('syntax', file, lines.lineAt(error?.offset ?? 0), `This is not valid JSON: ${what}.`);
    return null;
  }

  function valueOf(node: Node): JsonValue {
    const line = lines.lineAt(node.offset);
    const members = new Map<string, JsonValue>();
    const elements: JsonValue[] = [];
    if (node.type === 'object') {
      for (const { children: [key, value] = [] } of node.children ?? []) {
        if (key === undefined || value === undefined) continue;
        const name = String(key.value);
        if (members.has(name)) {
          const at = lines.lineAt(key.offset);
          files.report('duplicate', file, at, `The key ${JSON.stringify(name)} is given twice: the last one counts.`);
        }
        members.set(name, valueOf(value));
      }
    } else if (node.type === 'array') {
      for (const child of node.children ?? []) elements.push(valueOf(child));
    }
    const value = node.type === 'object' || node.type === 'array' ? null : (node.value as JsonValue['value']);
    return { value, type: node.type === 'property' ? 'object' : node.type, line, members, elements };
  }

  return valueOf(root);
}

/** The offset at which brackets outside of strings are nested too deep for a recursive parser; null when nowhere. */
function tooDeep(text: string): number | null {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isString) {
      if (char === '\\') at++;
      else if (char === '"') isString = false;
    } else if (char === '"') isString = true;
    else if (char === '[' || char === '{') {
      if (++depth > DEEPEST_NESTING) return at;
    } else if (char === ']' || char === '}') depth--;
  }
  return null;
}
