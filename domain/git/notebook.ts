import { decodeText } from './text.ts';

/** A file's text as it is indexed, searched and read. */
export interface ReadableText {
  readonly text: string;
  /** The language of its code, for a notebook that names it, as written there; null for any other file. */
  readonly codeLanguage: string | null;
}

/** True for the path of a Jupyter notebook. */
export function isNotebook(path: string): boolean {
  return /\.ipynb$/i.test(path);
}

/**
 * The readable text of a file, whose line numbers all results use: its decoded content, or the cells of a notebook
 * without outputs and images, as a script in which `# %%` begins each cell and text is commented out (the percent
 * format of Jupytext, Spyder and editors). A file with the name of a notebook that is none is read as it is.
 */
export function readableText(path: string, content: Uint8Array): ReadableText {
  const text = decodeText(content);
  return (isNotebook(path) ? readNotebook(text) : null) ?? { text, codeLanguage: null };
}

/** A notebook is read up to this multiple of `index.maxFileBytes`, and up to this many bytes. */
const NOTEBOOK_TIMES = 10;
const NOTEBOOK_BYTES = 20_000_000;

/**
 * How many bytes of a file are read at most. More for a notebook: most of it is outputs and images, which
 * {@link withinLimit} does not count.
 */
export function readLimit(path: string, maxFileBytes: number): number {
  return isNotebook(path)
    ? Math.max(maxFileBytes, Math.min(maxFileBytes * NOTEBOOK_TIMES, NOTEBOOK_BYTES))
    : maxFileBytes;
}

/**
 * The content of a file; null when it is larger than `maxFileBytes`. A notebook is when its cells are, without outputs
 * and images, or when it is larger than {@link readLimit}.
 */
export function withinLimit(path: string, content: Uint8Array | null, maxFileBytes: number): Uint8Array | null {
  if (content === null || content.length > readLimit(path, maxFileBytes)) return null;
  if (content.length <= maxFileBytes) return content;
  return new TextEncoder().encode(readableText(path, content).text).length <= maxFileBytes ? content : null;
}

/** How a comment begins, where not with a hash, by language. */
const COMMENTS: Readonly<Record<string, readonly string[]>> = {
  '//': 'c c++ cpp c# csharp dart f# fsharp go groovy java javascript kotlin php rust scala swift typescript'.split(
    ' ',
  ),
  '--': ['ada', 'haskell', 'lua', 'sql'],
};

/** Reads versions 3 and 4 of the notebook format; null when the text is neither. */
function readNotebook(text: string): ReadableText | null {
  const notebook = parsed(text);
  const cells = [
    ...listOf(notebook, 'cells'),
    ...listOf(notebook, 'worksheets').flatMap((sheet) => listOf(sheet, 'cells')),
  ];
  if (valueOf(notebook, 'cells') === undefined && valueOf(notebook, 'worksheets') === undefined) return null;
  const metadata = valueOf(notebook, 'metadata');
  const named = [
    valueOf(valueOf(metadata, 'kernelspec'), 'language'),
    valueOf(valueOf(metadata, 'language_info'), 'name'),
  ];
  const codeLanguage = named.find((name) => typeof name === 'string') ?? 'python';
  const comment = Object.entries(COMMENTS).find(([, names]) => names.includes(codeLanguage.toLowerCase()))?.[0] ?? '#';
  return { text: cells.map((cell) => scriptOf(cell, comment)).join('\n'), codeLanguage };
}

/** A cell with its first line, every line ended. */
function scriptOf(cell: unknown, comment: string): string {
  const type = valueOf(cell, 'cell_type');
  const lines = sourceOf(cell).replace(/\n$/, '').split(/\r?\n/);
  if (type === 'code') return [`${comment} %%`, ...lines, ''].join('\n');
  const kind = typeof type === 'string' && /^\w+$/.test(type) ? type : 'raw';
  return [`${comment} %% [${kind}]`, ...lines.map((line) => `${comment} ${line}`.trimEnd()), ''].join('\n');
}

function sourceOf(cell: unknown): string {
  const source = valueOf(cell, 'source') ?? valueOf(cell, 'input');
  if (typeof source === 'string') return source;
  return Array.isArray(source) ? source.filter((part) => typeof part === 'string').join('') : '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listOf(value: unknown, key: string): readonly unknown[] {
  const list = valueOf(value, key);
  return Array.isArray(list) ? list : [];
}

function valueOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
