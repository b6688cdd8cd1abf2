import { Language, Parser, Query } from 'web-tree-sitter';
import { GRAMMARS, readGrammar } from './grammar-files.ts';

/**
 * A language's parser and the query for its definitions: `@name` inside `@definition.*`, or inside `@declaration.*` when
 * the definition is elsewhere.
 */
export interface Grammar {
  readonly parser: Parser;
  readonly definitions: Query;
}

const loaded = new Map<string, Promise<Grammar>>();
let runtime: Promise<void> | undefined;

/** Grammar names by linguist's names, where they differ by more than case. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'C#': 'c-sharp',
  'C++': 'cpp',
  Shell: 'bash',
};

/**
 * The comments above a definition, which patterns capture and Longhaul does not use, take a sixth of a query's time.
 */
const DOCUMENTATION = /\(comment\)\*\s*@doc\s*\.|\(#[\w-]+! @doc[^)]*\)/g;

/** The grammar of a language (linguist's name), loaded once per thread; null when there is none. */
export async function grammarOf(language: string): Promise<Grammar | null> {
  const name = OTHER_NAMES[language] ?? language.toLowerCase();
  if (!GRAMMARS.includes(name)) return null;
  let grammar = loaded.get(name);
  if (!grammar) loaded.set(name, (grammar = load(name)));
  return grammar;
}

async function load(name: string): Promise<Grammar> {
  await (runtime ??= Parser.init());
  const { wasm, tags } = await readGrammar(name);
  const language = await Language.load(wasm);
  const parser = new Parser();
  parser.setLanguage(language);
  const patterns = patternsIn(tags).filter(findsDefinitions).join('\n').replaceAll(DOCUMENTATION, '');
  const definitions = new Query(language, patterns);
  for (const capture of definitions.captureNames) {
    // a predicate needs its capture
    const isUsed = capture === 'name' || isDefinition(capture) || capture === 'ignore';
    if (!isUsed) definitions.disableCapture(capture);
  }
  return { parser, definitions };
}

/**
 * The packages' queries also find references and comments: compiling and running those would take a third of the time.
 */
function findsDefinitions(pattern: string): boolean {
  return pattern.includes('@definition.') || pattern.includes('@declaration.');
}

/** True for the name of a capture that marks a definition or declaration. */
export function isDefinition(capture: string): boolean {
  return capture.startsWith('definition.') || capture.startsWith('declaration.');
}

/** The patterns of a query's source: expressions in brackets, each with the captures that follow it. */
export function patternsIn(source: string): string[] {
  const patterns: string[] = [];
  let depth = 0;
  for (const [token] of source.matchAll(/;.*|"(?:[^"\\]|\\.)*"|[([]|[)\]]|[^;"()[\]]+/g)) {
    if (token.startsWith(';')) continue;
    const opens = token === '(' || token === '[';
    if (opens && depth === 0) patterns.push('');
    if (opens) depth++;
    if (token === ')' || token === ']') depth--;
    if (patterns.length > 0) patterns[patterns.length - 1] += token;
  }
  return patterns;
}
