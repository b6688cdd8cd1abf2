import { type Comment, parseSync, type Span } from 'oxc-parser';

/** What has a docstring, and what has none. */
export interface Coverage {
  /** How many exports and fields were looked at. */
  readonly total: number;
  /** Those without one, as `file:line name`. */
  readonly missing: readonly string[];
}

/** A declaration that somebody outside its file can use. */
interface Declared extends Span {
  readonly name: string;
}

/**
 * The docstrings of a source: one for every exported function, class, constant, interface, type and enum, for every public
 * method and field of an exported class, and for every optional field of an exported interface, because its default is
 * nowhere else. What a file only exports again is documented where it is declared.
 */
export function docstringsOf(path: string, source: string): Coverage {
  const { program, comments, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  const docs = comments.filter(isDocstring);
  const declared = program.body.flatMap(declarations);
  const isDocumented = ({ start }: Declared): boolean =>
    docs.some(({ end }) => end <= start && source.slice(end, start).trim() === '');
  const missing = declared
    .filter((one) => !isDocumented(one))
    .map(({ name, start }) => `${path}:${source.slice(0, start).split('\n').length} ${name}`);
  return { total: declared.length, missing };
}

/** `/** … *​/` with words in it. */
function isDocstring({ type, value }: Comment): boolean {
  return type === 'Block' && value.startsWith('*') && /\w/.test(value);
}
