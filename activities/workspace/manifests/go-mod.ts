/** One directive of a go.mod or go.work, as in https://go.dev/ref/mod#go-mod-file-grammar. */
export interface GoDirective {
  readonly keyword: string;
  /** The words after the keyword, without quotes. */
  readonly words: readonly string[];
  /** The comment at the end of the line, without `//`; empty when there is none. */
  readonly comment: string;
  /** From 1. */
  readonly line: number;
  /** The directive without the keyword and the comment, as written. */
  readonly raw: string;
}

/** A line that is not in the grammar. */
export interface GoSyntaxError {
  readonly line: number;
  readonly message: string;
}

/** Reads the lines of a go.mod or go.work, in which blocks in parentheses repeat their keyword. */
export function parseGoMod(text: string): { readonly directives: GoDirective[]; readonly errors: GoSyntaxError[] } {
  const directives: GoDirective[] = [];
  const errors: GoSyntaxError[] = [];
  let block: string | null = null;
  const lines = text.split('\n');
  for (const [index, written] of lines.entries()) {
    const line = index + 1;
    const tokens = tokensOf(written);
    if (typeof tokens === 'string') {
      errors.push({ line, message: tokens });
      continue;
    }
    const { words, comment, raw } = tokens;
    const [first] = words;
    if (first === undefined) continue;
    if (block !== null) {
      if (first.raw === ')') {
        if (words.length > 1) errors.push({ line, message: 'there is more after the closing parenthesis' });
        block = null;
      } else directives.push({ keyword: block, words: words.map(({ text: word }) => word), comment, line, raw });
    } else if (words.at(-1)?.raw === '(') {
      if (words.length !== 2) errors.push({ line, message: 'a block has one keyword before its parenthesis' });
      block = first.text;
    } else if (words.length === 3 && words[1]?.raw === '(' && words[2]?.raw === ')') continue;
    else {
      const rest = words.slice(1);
      directives.push({
        keyword: first.text,
        words: rest.map(({ text: word }) => word),
        comment,
        line,
        raw: raw.slice(raw.indexOf(first.raw) + first.raw.length).trim(),
      });
    }
  }
  if (block !== null) errors.push({ line: lines.length, message: `the block of ${block} is not closed` });
  return { directives, errors };
}

interface Word {
  readonly text: string;
  /** With its quotes. */
  readonly raw: string;
}

/** A word, a quoted or raw string, a parenthesis or comma, an arrow, a comment. */
const TOKEN = /\s+|\/\/.*|"(?:[^"\\]|\\.)*"|`[^`]*`|=>|[(),]|(?:(?!\/\/|=>)[^\s"`(),])+/y;

/** A message when the line is not in the grammar. */
function tokensOf(line: string): { words: Word[]; comment: string; raw: string } | string {
  const words: Word[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < line.length) {
    const at = TOKEN.lastIndex;
    const [token] = TOKEN.exec(line) ?? [];
    if (token === undefined) return line[at] === '"' || line[at] === '`' ? 'a string does not end' : 'it is not valid';
    if (token.startsWith('//')) {
      return { words, comment: token.slice(2).trim(), raw: line.slice(0, at).trim() };
    }
    if (token.trim() === '') continue;
    if (token.startsWith('`')) words.push({ text: token.slice(1, -1), raw: token });
    else if (token.startsWith('"')) {
      const text = unquoted(token);
      if (text === null) return 'a string has an unknown escape';
      words.push({ text, raw: token });
    } else if (token.includes('/*')) return 'comments begin with //';
    else words.push({ text: token, raw: token });
  }
  return { words, comment: '', raw: line.trim() };
}

/** An interpreted string of Go; null when it has escapes that paths and versions never need. */
function unquoted(token: string): string | null {
  const inside = token.slice(1, -1);
  return /\\[^"\\]/.test(inside.replaceAll('\\\\', '')) ? null : inside.replaceAll(/\\(["\\])/g, '$1');
}
