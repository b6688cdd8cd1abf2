import type { Node } from 'web-tree-sitter';
import { discardGrammars, grammarOf } from '../../index/analysis/grammars.ts';

/** Milliseconds after which a text is given up; real files take a few. */
const LONGEST_WORK = 2_000;

/** Why a text cannot be read. */
export interface ElixirSyntaxError {
  /** Offset in UTF-16 units; null when it is about the whole text. */
  readonly at: number | null;
  readonly message: string;
}

/**
 * Parses a text of Elixir and gives its syntax tree to `read`, whose result must not contain nodes. Nothing is run.
 * Returns an error when the text is not valid Elixir, or takes the parser too long.
 */
export async function readElixir<Result>(
  text: string,
  read: (root: Node) => Result,
): Promise<{ readonly result: Result } | { readonly error: ElixirSyntaxError }> {
  const grammar = await grammarOf('Elixir');
  if (grammar === null) throw new Error('there is no grammar of Elixir');
  const end = performance.now() + LONGEST_WORK;
  let tree;
  try {
    tree = grammar.parser.parse(text, null, { progressCallback: () => performance.now() > end });
    if (tree === null) {
      grammar.parser.reset();
      return { error: { at: null, message: 'it takes the parser too long' } };
    }
    if (tree.rootNode.hasError) {
      return { error: { at: firstError(tree.rootNode), message: 'the syntax is not that of Elixir' } };
    }
    return { result: read(tree.rootNode) };
  } catch (error) {
    // after an abort neither the parser nor its memory can be trusted; trees are gone with it
    tree = undefined;
    discardGrammars();
    throw error;
  } finally {
    tree?.delete();
  }
}

/** The offset of the first part that does not parse; without recursion, since texts may be nested deeply. */
function firstError(root: Node): number | null {
  let node: Node | null = root;
  while (node !== null && !node.isError && !node.isMissing) {
    node = node.children.find((child) => child?.hasError || child?.isError || child?.isMissing) ?? null;
  }
  return node?.startIndex ?? null;
}

/** The named children of a node, without comments. */
export function partsOf(node: Node): Node[] {
  return node.namedChildren.filter((child) => child !== null).filter(({ type }) => type !== 'comment');
}

/** A pair of a keyword list: `key: value`. */
export interface ElixirPair {
  readonly key: string;
  readonly value: Node;
}

/** The pairs of `keywords`, a list of them, or the last argument of a call. */
export function pairsOf(node: Node): ElixirPair[] {
  return partsOf(node).flatMap((pair) => {
    if (pair.type === 'keywords') return pairsOf(pair);
    const read = pairOf(pair);
    return read === null ? [] : [read];
  });
}

/** A `pair` with a literal key; null for any other node. */
export function pairOf(node: Node): ElixirPair | null {
  const [key, value] = node.type === 'pair' ? partsOf(node) : [];
  const name = key === undefined ? null : keyOf(key);
  return name === null || value === undefined ? null : { key: name, value };
}

function keyOf(node: Node): string | null {
  if (node.type === 'keyword') return node.text.trimEnd().replace(/:$/, '');
  return node.type === 'quoted_keyword' ? quoted(node) : null;
}

/** The text of a string without interpolation; null for any other node. */
export function stringOf(node: Node): string | null {
  return node.type === 'string' ? quoted(node) : null;
}

/** The name of an atom; null for any other node. `true`, `false` and `nil` are not meant. */
export function atomOf(node: Node): string | null {
  if (node.type === 'atom') return node.text.slice(1);
  return node.type === 'quoted_atom' ? quoted(node) : null;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', s: ' ', '0': '\0', e: '\u001b' };

function quoted(node: Node): string | null {
  let text = '';
  for (const part of partsOf(node)) {
    if (part.type === 'quoted_content') text += part.text;
    else if (part.type === 'escape_sequence' && part.text.length === 2) {
      const char = part.text.slice(1);
      // \x41 and \u0041 are longer
      text += ESCAPES[char] ?? char;
    } else return null;
  }
  return text;
}

/** The name that a call calls without a module, such as `def`, or an identifier; null for any other node. */
export function calledName(node: Node): string | null {
  if (node.type === 'identifier') return node.text;
  const [target] = node.type === 'call' ? partsOf(node) : [];
  return target?.type === 'identifier' ? target.text : null;
}

/** The arguments of a call; empty for an identifier. */
export function argumentsOf(node: Node): Node[] {
  const found = node.type === 'call' ? partsOf(node).find(({ type }) => type === 'arguments') : undefined;
  return found === undefined ? [] : partsOf(found);
}

/** The expressions of a `do` block or of `do:`; null when there is none. */
export function bodyOf(call: Node): Node[] | null {
  const block = partsOf(call).find(({ type }) => type === 'do_block');
  if (block !== undefined) return partsOf(block);
  const last = argumentsOf(call).at(-1);
  const body = last?.type === 'keywords' ? pairsOf(last).find(({ key }) => key === 'do') : undefined;
  return body === undefined ? null : [body.value];
}
