import type { NamedLine } from './named-line.ts';

type Finder = (text: string, programLines: (text: string) => NamedLine[]) => NamedLine[];

const SQL_NAME = '((?:["`\\[]?[\\p{L}_][\\p{L}\\p{N}_$]*["`\\]]?\\.)*["`\\[]?[\\p{L}_][\\p{L}\\p{N}_$]*)';
const SQL = new RegExp(
  '^[ \\t]*CREATE[ \\t]+(?:OR[ \\t]+(?:REPLACE|ALTER)[ \\t]+)?' +
    '(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|MATERIALIZED|UNIQUE|CLUSTERED|NONCLUSTERED|EXTERNAL|RECURSIVE|VIRTUAL|CONSTRAINT|EDITIONABLE)[ \\t]+)*' +
    '(?:TABLE|VIEW|INDEX|FUNCTION|PROCEDURE|PROC|TRIGGER|TYPE|DOMAIN|SCHEMA|SEQUENCE|ROLE|POLICY|AGGREGATE|DATABASE|PACKAGE|RULE|MACRO|STREAM)[ \\t]+' +
    `(?:BODY[ \\t]+)?(?:CONCURRENTLY[ \\t]+)?(?:IF[ \\t]+NOT[ \\t]+EXISTS[ \\t]+)?${SQL_NAME}`,
  'gimu',
);
const PROTOCOL = /^[ \t]*(?:message|enum|service|rpc|oneof|extend)[ \t]+([\w.]+)/gm;
const GRAPHQL =
  /^[ \t]*(?:extend[ \t]+)?(?:type|interface|input|enum|scalar|union|directive|fragment|query|mutation|subscription)[ \t]+@?(\w+)/gm;
/** A type whose fields are the operations of a service. */
const GRAPHQL_ROOT = /^[ \t]*(?:extend[ \t]+)?type[ \t]+(?:Query|Mutation|Subscription)\b[^{\n]*\{/gm;
const TERRAFORM =
  /^[ \t]*(?:resource|data|module|variable|output|provider|check)[ \t]+"[^"\n]+"(?:[ \t]+"([^"\n]+)")?/gm;
const OPENAPI = /^[ \t]*"?(?:openapi|swagger|asyncapi)"?[ \t]*:[ \t]*["']?\d/m;
const OPERATION = /^[ \t]*(?:-[ \t]+)?"?operationId"?[ \t]*:[ \t]*["']?([\w.-]+)/gm;
/** Keys whose own keys are the names of shared parts. */
const OPENAPI_PARTS = /^([ \t]*)"?(?:schemas|definitions|messages|securitySchemes)"?[ \t]*:[ \t]*\{?[ \t]*$/gm;
const KEY = /^([ \t]*)["']?([A-Za-z_][\w.-]*)["']?[ \t]*:/;
const SCRIPT = /<script\b[^>]*>[ \t]*\r?\n?/gi;
const SCRIPT_END = /<\/script\s*>/i;

/**
 * Languages in which the contracts between programs are written, by linguist's names: tables, messages,
 * services, resources, and components with a script in them.
 */
const FINDERS: Readonly<Record<string, Finder>> = {
  SQL: named(SQL),
  PLSQL: named(SQL),
  PLpgSQL: named(SQL),
  SQLPL: named(SQL),
  TSQL: named(SQL),
  'Protocol Buffer': named(PROTOCOL),
  GraphQL: (text) => [...named(GRAPHQL)(text, none), ...rootFields(text)],
  HCL: named(TERRAFORM),
  Vue: scripts,
  Svelte: scripts,
  YAML: openApi,
  JSON: openApi,
};

/** The names that a contract defines, in order; null for a language that is not one. */
export function contractDefinitions(
  text: string,
  language: string,
  programLines: (text: string) => NamedLine[],
): NamedLine[] | null {
  const find = Object.hasOwn(FINDERS, language) ? FINDERS[language] : undefined;
  if (find === undefined) return null;
  const found = new Map(find(text, programLines).map((line) => [line.at, line]));
  return [...found.values()].sort((a, b) => a.at - b.at);
}

function none(): NamedLine[] {
  return [];
}

/** The last part of what the pattern's group matches, without quotes; the whole match's last quoted text without one. */
function named(pattern: RegExp): Finder {
  return (text) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const whole = match[1] ?? match[0].match(/"([^"\n]+)"$/)?.[1] ?? '';
      const name = whole.replace(/^.*[.]/, '').replaceAll(/["`[\]]/g, '');
      return name === '' ? [] : [{ name, at: match.index + match[0].lastIndexOf(name) }];
    });
}

/** The fields of GraphQL's root types. */
function rootFields(text: string): NamedLine[] {
  return [...text.matchAll(GRAPHQL_ROOT)].flatMap(({ index, 0: head }) => {
    const fields: NamedLine[] = [];
    let inArguments = 0;
    let at = index + head.length;
    for (const token of text.slice(at).matchAll(/"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|#.*|[(){}]|\w+(?=\s*[(:])/g)) {
      const [found] = token;
      if (found === '}') break;
      if (found === '(') inArguments++;
      else if (found === ')') inArguments--;
      else if (inArguments === 0 && /^\w/.test(found)) fields.push({ name: found, at: at + token.index });
    }
    return fields;
  });
}

/** What the scripts of a component define at their outermost level, which is usually indented. */
function scripts(text: string, programLines: (text: string) => NamedLine[]): NamedLine[] {
  return [...text.matchAll(SCRIPT)].flatMap(({ index, 0: tag }) => {
    const from = index + tag.length;
    const length = text.slice(from).search(SCRIPT_END);
    const script = length < 0 ? text.slice(from) : text.slice(from, from + length);
    const indent = /^[ \t]*(?=\S)/m.exec(script)?.[0] ?? '';
    const shifts: { readonly at: number; readonly by: number }[] = [];
    let removed = 0;
    let written = 0;
    const outdented = script
      .split('\n')
      .map((line) => {
        const isIndented = indent !== '' && line.startsWith(indent);
        if (isIndented) removed += indent.length;
        shifts.push({ at: written, by: removed });
        const shown = isIndented ? line.slice(indent.length) : line;
        written += shown.length + 1;
        return shown;
      })
      .join('\n');
    return programLines(outdented).map(({ name, at }) => {
      const by = shifts.findLast((shift) => shift.at <= at)?.by ?? 0;
      return { name, at: from + at + by };
    });
  });
}

/** The operations and shared parts of a description in OpenAPI, Swagger or AsyncAPI. */
function openApi(text: string): NamedLine[] {
  if (!OPENAPI.test(text)) return [];
  const parts = [...text.matchAll(OPENAPI_PARTS)].flatMap(({ index, 0: line, 1: indent = '' }) =>
    keysBelow(text, index + line.length + 1, indent.length),
  );
  return [...named(OPERATION)(text, none), ...parts];
}

/** The keys of the mapping that begins at `from` and is indented by more than `outer`. */
function keysBelow(text: string, from: number, outer: number): NamedLine[] {
  const keys: NamedLine[] = [];
  let own: number | undefined;
  for (let at = from; at < text.length; at = endOfLine(text, at) + 1) {
    const line = text.slice(at, endOfLine(text, at));
    if (line.trim() === '' || /^[ \t]*#/.test(line)) continue;
    const indent = line.length - line.trimStart().length;
    if (indent <= outer) break;
    own ??= indent;
    const name = KEY.exec(line)?.[2];
    if (indent === own && name !== undefined) keys.push({ name, at: at + line.indexOf(name) });
  }
  return keys;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
