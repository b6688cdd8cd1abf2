import { createRequire } from 'node:module';
import type { Language, Parser, Query } from 'web-tree-sitter';
import { GRAMMARS, readGrammar } from './grammar-files.ts';

/**
 * A language's parser and the query for its definitions: `@name` inside `@definition.*`, or inside `@declaration.*` when
 * the definition is elsewhere.
 */
export interface Grammar {
  readonly parser: Parser;
  readonly definitions: Query;
}

interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/** The part that is used here of what Node's types leave out. Sizes are in pages of 64 KiB. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => WasmMemory;
};

interface TreeSitter {
  readonly Language: typeof Language;
  readonly Parser: typeof Parser;
  readonly Query: typeof Query;
}

/** Tree-sitter in one WebAssembly memory, with the grammars that were loaded into it. */
interface Runtime {
  readonly treeSitter: TreeSitter;
  readonly memory: WasmMemory;
  readonly loaded: Map<string, Promise<Grammar>>;
}

let runtime: Promise<Runtime> | undefined;

/** 32 MiB and 1 GiB. */
const INITIAL_PAGES = 512;
const MOST_PAGES = 16_384;
/** WebAssembly never returns memory: one that grew larger, in bytes, is replaced. */
const LARGEST_KEPT = 256 * 1024 * 1024;

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

/**
 * The grammar of a language (linguist's name), loaded once per thread and again after {@link discardGrammars}; null when
 * there is none.
 */
export async function grammarOf(language: string): Promise<Grammar | null> {
  const name = OTHER_NAMES[language] ?? language.toLowerCase();
  if (!GRAMMARS.includes(name)) return null;
  const { treeSitter, memory, loaded } = await (runtime ??= startRuntime());
  if (memory.buffer.byteLength > LARGEST_KEPT) {
    discardGrammars();
    return grammarOf(language);
  }
  let grammar = loaded.get(name);
  if (!grammar) loaded.set(name, (grammar = load(treeSitter, name)));
  return grammar;
}

/**
 * Discards every grammar of this thread and the memory that they share: after one of them failed, neither can be
 * trusted. The next call of {@link grammarOf} starts anew.
 */
export function discardGrammars(): void {
  runtime = undefined;
}

/**
 * A WebAssembly module that has aborted fails on every later call, and the package keeps its module for as long as it
 * is loaded itself. So the package is loaded once more: as CommonJS, which can be removed from the cache.
 */
async function startRuntime(): Promise<Runtime> {
  const require = createRequire(import.meta.url);
  delete require.cache[require.resolve('web-tree-sitter')];
  const treeSitter = require('web-tree-sitter') as TreeSitter;
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MOST_PAGES });
  await treeSitter.Parser.init({ wasmMemory: memory, printErr: () => undefined });
  return { treeSitter, memory, loaded: new Map() };
}

async function load(treeSitter: TreeSitter, name: string): Promise<Grammar> {
  const { wasm, tags } = await readGrammar(name);
  const language = await treeSitter.Language.load(wasm);
  const parser = new treeSitter.Parser();
  parser.setLanguage(language);
  const patterns = patternsIn(tags).filter(findsDefinitions).join('\n').replaceAll(DOCUMENTATION, '');
  const definitions = new treeSitter.Query(language, patterns);
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
