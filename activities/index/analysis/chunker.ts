import type { Node, Tree } from 'web-tree-sitter';
import { unitsOf } from '../../../domain/catalog/search/word-memory.ts';
import { definitionLines } from './definition-lines.ts';
import { discardGrammars, grammarOf, isDefinition } from './grammars.ts';
import type { Grammar } from './grammars.ts';
import { withoutMacros } from './macros.ts';

/** A chunk of a file. All chunks of a file concatenated are the file. */
export interface Chunk {
  /** 1-based. */
  readonly startLine: number;
  /** 1-based, inclusive. */
  readonly endLine: number;
  readonly text: string;
  /** Names of the definitions in it, in order, without duplicates. */
  readonly symbols: string[];
  /** Names that it only declares, extends or exports again, in order, without duplicates: the definition is elsewhere. */
  readonly declares: string[];
  /** Names of the definitions that enclose it completely, outermost first. */
  readonly scope: string[];
}

/** Maximum number of non-whitespace characters of a chunk. */
export const CHUNK_SIZE = 1_200;
/** Longer texts are usually data or generated, and are split by lines. */
const LONGEST_PARSED = 400_000;
/** The parser's time grows quadratically with the number of errors. */
const MOST_ERRORS = 5_000;
/**
 * Limit for the parser's time on a text, in milliseconds: a hundred times that of the slowest real file. Only a text
 * made to exhaust the parser reaches it, so a busy machine does not change how a text is split.
 */
const LONGEST_WORK = 20_000;
/** Longest time between two checks that counts: more means that the process was suspended. */
const LONGEST_STEP = 1_000;
const LONGEST_NAME = 100;
/** A space: it and all control characters before it are blank. */
const LAST_BLANK = 32;
const PROTOTYPES = new Set(['declaration', 'field_declaration', 'parameter_declaration']);
/** Nodes that belong to the node after them. */
const LEADING = /comment|decorator|attribute_item|annotation/;

/**
 * Languages whose grammar keeps state of one file for the next: after a Swift file with errors, a later one could lose a
 * definition. Starting anew takes about 50 ms.
 */
const KEEPS_STATE: ReadonlySet<string> = new Set(['Swift']);

/**
 * Splits a text into chunks along the syntax of its language (linguist's name), or by lines when there is no grammar,
 * the text is too much for the parser, or the parser fails; `onFault` then gets the failure, and the parser is replaced.
 * Chunks begin at the start of a line, except within lines that are longer than a chunk. The same text in the same
 * language is always split the same.
 */
export async function chunk(
  text: string,
  language: string | null,
  onFault: (error: unknown) => void = () => undefined,
): Promise<Chunk[]> {
  if (text === '') return [];
  const grammar = language !== null && text.length <= LONGEST_PARSED ? await grammarOf(language) : null;
  const measure = measureOf(text);
  if (grammar) {
    try {
      const parsed = language === 'C++' || language === 'C' ? withoutMacros(text) : text;
      const syntax = syntaxOf(measure, parsed, grammar);
      if (KEEPS_STATE.has(language ?? '')) discardGrammars();
      if (syntax) return chunksOf(measure, joined(measure, syntax.ranges), syntax.definitions);
    } catch (error) {
      discardGrammars();
      const said = error instanceof Error ? error.message : String(error);
      onFault(new Error(`the grammar of ${language} failed: ${said}`, { cause: error }));
    }
  }
  const definitions = language !== null && !grammar ? definitionsByLine(text, language) : [];
  return chunksOf(measure, cutByLines(measure, { start: 0, end: text.length }), definitions);
}

/** Splits a text by lines only, without reading anything in it. */
export function chunkLines(text: string): Chunk[] {
  const measure = measureOf(text);
  return chunksOf(measure, cutByLines(measure, { start: 0, end: text.length }), []);
}

/** Definitions in a text without a grammar; how far each extends is unknown. */
function definitionsByLine(text: string, language: string): Definition[] {
  if (text.length > LONGEST_PARSED) return [];
  return definitionLines(text, language).map(({ name, at }) => ({
    name,
    at,
    start: at,
    end: at + name.length,
    isWeak: false,
  }));
}

/** Where a text can be split and what it defines; null when it is too much for the parser. */
function syntaxOf(
  measure: Measure,
  parsed: string,
  grammar: Grammar,
): { ranges: Range[]; definitions: Definition[] } | null {
  const isOver = stopwatch(LONGEST_WORK);
  const tree = grammar.parser.parse(parsed, null, { progressCallback: isOver });
  if (!tree) {
    grammar.parser.reset();
    return null;
  }
  try {
    if (isMostlyErrors(tree.rootNode)) return null;
    const definitions = definitionsIn(grammar, tree, isOver);
    return definitions && { ranges: cutByNodes(measure, tree.rootNode), definitions };
  } finally {
    tree.delete();
  }
}

function isMostlyErrors(root: Node): boolean {
  if (!root.hasError) return false;
  return [root, ...root.children].some((node) => node?.isError && node.childCount > MOST_ERRORS);
}

/** A function that reports whether more than `limit` milliseconds of work have passed between its calls. */
function stopwatch(limit: number): () => boolean {
  let spent = 0;
  let last = performance.now();
  return () => {
    const now = performance.now();
    spent += Math.min(now - last, LONGEST_STEP);
    last = now;
    return spent > limit;
  };
}

/** From `start` up to but not including `end`, in UTF-16 units, as JavaScript and tree-sitter count. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A text with measurements that are needed repeatedly. */
interface Measure {
  readonly text: string;
  /** The non-whitespace characters of a range. */
  sizeOf(range: Range): number;
  /** The start of the line that contains the character at `at`. */
  lineStart(at: number): number;
}

function measureOf(text: string): Measure {
  const units = unitsOf(text);
  const inkBefore = new Uint32Array(text.length + 1);
  for (let at = 0, ink = 0; at < text.length; at++) {
    if ((units[at] as number) > LAST_BLANK) ink++;
    inkBefore[at + 1] = ink;
  }
  return {
    text,
    sizeOf: ({ start, end }) => (inkBefore[end] ?? 0) - (inkBefore[start] ?? 0),
    lineStart: (at) => (at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1),
  };
}

/** Sibling nodes that share lines, and the lines that they are on. */
interface Unit extends Range {
  readonly nodes: readonly Node[];
}

const LEVEL_ENDS = null;

/** Ranges that fit into a chunk: whole nodes, or parts of nodes that do not fit. */
function cutByNodes(measure: Measure, root: Node): Range[] {
  const ranges: Range[] = [];
  let open: Range | null = null;
  const close = (): void => {
    if (open) ranges.push(open);
    open = null;
  };
  // a stack instead of recursion: expressions can be nested tens of thousands deep
  const waiting: (Unit | typeof LEVEL_ENDS)[] = [{ start: 0, end: measure.text.length, nodes: [root] }];
  while (waiting.length > 0) {
    const unit = waiting.pop() ?? LEVEL_ENDS;
    if (unit === LEVEL_ENDS) {
      close();
    } else if (measure.sizeOf(unit) > CHUNK_SIZE) {
      close();
      const units = unitsWithin(measure, unit);
      if (units.length === 0) for (const range of cutByLines(measure, unit)) ranges.push(range);
      else waiting.push(LEVEL_ENDS);
      for (const inner of units.toReversed()) waiting.push(inner);
    } else {
      if (open && measure.sizeOf(spanning(open, unit)) > CHUNK_SIZE) close();
      open = spanning(open ?? unit, unit);
    }
  }
  close();
  return ranges;
}

/** The child units of a unit, at the first level with several; none when there is no such level. */
function unitsWithin(measure: Measure, unit: Unit): Unit[] {
  let { nodes } = unit;
  while (nodes.length > 0) {
    nodes = nodes.filter(spansLines).flatMap((node) => node.namedChildren.filter((child) => child !== null));
    const units = unitsOnLines(measure, nodes, unit);
    if (units.length > 1) return units;
  }
  return [];
}

/** A node within a single line cannot be split by lines. */
function spansLines(node: Node): boolean {
  return node.endPosition.row > node.startPosition.row;
}

/** Groups nodes by the lines that they begin on. A comment or attribute goes with the following node. */
function unitsOnLines(measure: Measure, nodes: readonly Node[], { start: from, end }: Range): Unit[] {
  const units: { start: number; nodes: Node[] }[] = [];
  let leading: Node | null = null;
  for (const node of nodes) {
    const start = measure.lineStart(node.startIndex);
    const unit = units.at(-1);
    const beginsLine = measure.sizeOf({ start, end: node.startIndex }) === 0;
    const led = leading !== null && node.startPosition.row - leading.endPosition.row <= 1;
    if (!unit) units.push({ start: from, nodes: [node] });
    else if (beginsLine && !led && start > unit.start && start < end) units.push({ start, nodes: [node] });
    else unit.nodes.push(node);
    leading = beginsLine && LEADING.test(node.type) ? node : null;
  }
  return units.map((unit, i) => ({ ...unit, end: units[i + 1]?.start ?? end }));
}

/** Ranges of whole lines, each ending after a blank line if there is one in its second half. */
function cutByLines(measure: Measure, whole: Range): Range[] {
  const { text } = measure;
  const ranges: Range[] = [];
  let { start } = whole;
  let afterBlank = start;
  const cutAt = (end: number): void => {
    ranges.push({ start, end });
    start = end;
  };
  for (let line = start; line < whole.end;) {
    const newline = text.indexOf('\n', line);
    const end = newline < 0 || newline >= whole.end ? whole.end : newline + 1;
    while (measure.sizeOf({ start, end }) > CHUNK_SIZE) {
      if (start >= line) cutAt(withinLine(measure, { start, end }));
      else if (measure.sizeOf({ start, end: afterBlank }) > CHUNK_SIZE / 2) cutAt(afterBlank);
      else cutAt(line);
    }
    if (measure.sizeOf({ start: line, end }) === 0) afterBlank = end;
    line = end;
  }
  if (start < whole.end) ranges.push({ start, end: whole.end });
  return ranges;
}

/** Where to split a line that is too long: as late as possible, not within a character, and after white space. */
function withinLine({ text }: Measure, { start, end }: Range): number {
  let at = start;
  for (let size = 0; size < CHUNK_SIZE; at++) if (isInk(text, at)) size++;
  if (isHighSurrogate(text, at - 1)) at--;
  while (at < end && !isInk(text, at)) at++;
  return at;
}

/** Merges neighbours of any level as long as they fit. */
function joined(measure: Measure, ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last && measure.sizeOf(spanning(last, range)) <= CHUNK_SIZE) result[result.length - 1] = spanning(last, range);
    else result.push(range);
  }
  return result;
}

function spanning(first: Range, last: Range): Range {
  return { start: first.start, end: last.end };
}

/** A definition's range and the position of its name. */
interface Definition extends Range {
  readonly name: string;
  readonly at: number;
  /** True for a name that is defined elsewhere: a prototype, an `impl` of a type, an exported import. */
  readonly isWeak: boolean;
}

function definitionsIn({ definitions }: Grammar, tree: Tree, isOver: () => boolean): Definition[] | null {
  const found = new Map<number, Definition>();
  const matches = definitions.matches(tree.rootNode, { progressCallback: isOver });
  if (isOver()) return null;
  for (const { captures } of matches) {
    const name = captures.find((capture) => capture.name === 'name')?.node;
    const whole = captures.find((capture) => isDefinition(capture.name));
    if (!name || !whole || name.endIndex - name.startIndex > LONGEST_NAME) continue;
    const declaration = declarationOf(whole.node);
    const isWeak = whole.name.startsWith('declaration.') || (declaration !== whole.node && isPrototype(declaration));
    // a pattern of ours marks as declared what the package's pattern takes for a definition
    if (found.has(name.startIndex) && !isWeak) continue;
    const { startIndex: start, endIndex: end } = declaration;
    found.set(name.startIndex, { name: lastPart(name.text), at: name.startIndex, start, end, isWeak });
  }
  return [...found.values()].sort((a, b) => a.start - b.start || b.end - a.end || a.at - b.at);
}

/** C's queries match only the declarator, which ends before the body. */
function declarationOf(definition: Node): Node {
  let node = definition;
  while (node.type.endsWith('declarator') && node.parent) node = node.parent;
  return node;
}

/** Elixir names a module by its whole path. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1) || name;
}

/** In C and C++, a declarator without a body; a variable with a function's type is also one. */
function isPrototype(declaration: Node): boolean {
  return PROTOTYPES.has(declaration.type);
}

function chunksOf({ text }: Measure, ranges: readonly Range[], definitions: readonly Definition[]): Chunk[] {
  let line = 1;
  let lineEnd = text.indexOf('\n');
  const lineAt = (at: number): number => {
    for (; lineEnd >= 0 && lineEnd < at; lineEnd = text.indexOf('\n', lineEnd + 1)) line++;
    return line;
  };
  return ranges.map(({ start, end }) => {
    const piece = text.slice(start, end);
    const inkStart = start + (piece.length - piece.trimStart().length);
    const inkEnd = start + piece.trimEnd().length;
    const inside = definitions.filter(({ at }) => at >= start && at < end);
    const around = definitions.filter((one) => one.at < start && one.start < inkStart && one.end >= inkEnd);
    return {
      startLine: lineAt(start),
      endLine: lineAt(end - 1),
      text: piece,
      ...namesIn(inside),
      scope: namesOf(around),
    };
  });
}

function namesIn(definitions: readonly Definition[]): Pick<Chunk, 'symbols' | 'declares'> {
  const symbols = namesOf(definitions.filter(({ isWeak }) => !isWeak));
  const declares = namesOf(definitions.filter(({ isWeak }) => isWeak));
  return { symbols, declares: declares.filter((name) => !symbols.includes(name)) };
}

function namesOf(definitions: readonly Definition[]): string[] {
  return [...new Set(definitions.map(({ name }) => name))];
}

function isInk(text: string, at: number): boolean {
  return text.charCodeAt(at) > LAST_BLANK;
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code < 0xdc00;
}
