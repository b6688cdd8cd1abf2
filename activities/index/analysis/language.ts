import * as linguist from 'linguist-languages';

/** Loading the table of languages is slow: only analyzer threads import this module. */
const byFileName = new Map<string, string[]>();
const byExtension = new Map<string, string[]>();
const byInterpreter = new Map<string, string[]>();
const primaryExtension = new Map<string, string>();
const programming = new Set<string>();
const byAlias = new Map<string, string>();

for (const { name, ...known } of Object.values<LinguistLanguage>(linguist)) {
  for (const fileName of known.filenames ?? []) note(byFileName, fileName, name);
  for (const extension of known.extensions ?? []) note(byExtension, extension.toLowerCase(), name);
  for (const interpreter of known.interpreters ?? []) note(byInterpreter, interpreter, name);
  primaryExtension.set(name, known.extensions?.[0]?.toLowerCase() ?? '');
  if (known.type === 'programming') programming.add(name);
  for (const alias of [name, ...(known.aliases ?? [])]) byAlias.set(aliasOf(alias), name);
}

interface LinguistLanguage {
  readonly name: string;
  readonly type?: string;
  readonly filenames?: readonly string[];
  readonly aliases?: readonly string[];
  readonly extensions?: readonly string[];
  readonly interpreters?: readonly string[];
}

/** The usual language of an extension that several languages share. */
const USUAL: Readonly<Record<string, string>> = {
  '.as': 'ActionScript',
  '.asc': 'AsciiDoc',
  '.asm': 'Assembly',
  '.bas': 'BASIC',
  '.cake': 'C#',
  '.cfg': 'INI',
  '.cl': 'OpenCL',
  '.d': 'D',
  '.es': 'JavaScript',
  '.ex': 'Elixir',
  '.f': 'Fortran',
  '.for': 'Fortran',
  '.frag': 'GLSL',
  '.fs': 'F#',
  '.gd': 'GDScript',
  '.gs': 'JavaScript',
  '.hh': 'C++',
  '.html': 'HTML',
  '.inc': 'PHP',
  '.json': 'JSON',
  '.l': 'Lex',
  '.lean': 'Lean 4',
  '.lisp': 'Common Lisp',
  '.md': 'Markdown',
  '.ml': 'OCaml',
  '.mm': 'Objective-C++',
  '.mojo': 'Mojo',
  '.nb': 'Wolfram Language',
  '.nu': 'Nushell',
  '.odin': 'Odin',
  '.php': 'PHP',
  '.pl': 'Perl',
  '.plist': 'XML Property List',
  '.pm': 'Perl',
  '.pp': 'Puppet',
  '.properties': 'Java Properties',
  '.r': 'R',
  '.re': 'Reason',
  '.res': 'ReScript',
  '.rs': 'Rust',
  '.s': 'Assembly',
  '.sc': 'Scala',
  '.scm': 'Scheme',
  '.shader': 'ShaderLab',
  '.sol': 'Solidity',
  '.sql': 'SQL',
  '.st': 'Smalltalk',
  '.star': 'Starlark',
  '.t': 'Perl',
  '.toc': 'TeX',
  '.ts': 'TypeScript',
  '.tsx': 'TSX',
  '.txt': 'Text',
  '.typ': 'Typst',
  '.v': 'Verilog',
  '.vba': 'VBA',
  '.x': 'RPC',
  '.yaml': 'YAML',
  '.yml': 'YAML',
};

/** How much of a file is read to detect its language. */
const HEAD = 16_384;
const OBJECTIVE_C = /^\s*(?:@(?:interface|implementation|protocol|property|import|end)\b|#import\b)/m;
const CPP =
  /^\s*(?:class\s+\w|namespace\b|template\s*<|using\s+\w|(?:public|private|protected)\s*:|#include <\w+>)|\w::\w/m;

/**
 * Linguist's name of a file's language, by its name, then its extension, then the interpreter in its first line; null
 * when none of them is known. If several languages share an extension, the beginning of the text decides between C, C++
 * and Objective-C and detects XML; otherwise the usual one is used.
 */
export function languageOf(path: string, text: string): string | null {
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  const head = text.slice(0, HEAD);
  const named = byFileName.get(fileName)?.[0];
  if (named !== undefined) return named;
  for (const extension of extensionsOf(fileName)) {
    const candidates = byExtension.get(extension);
    if (candidates) return choose(extension, candidates, head);
  }
  return byInterpreter.get(interpreterOf(head))?.[0] ?? null;
}

/** Linguist's name of a declared language, which may be an alias in any case; null for an unknown one. */
export function declaredLanguage(declared: string): string | null {
  return byAlias.get(aliasOf(declared)) ?? null;
}

/** Values of attributes cannot contain spaces, so linguist accepts a dash for each. */
function aliasOf(name: string): string {
  return name.toLowerCase().replaceAll(/\s/g, '-');
}

/** True for a programming language, false for markup, prose and data. */
export function isProgramming(language: string): boolean {
  return programming.has(language);
}

/** Of `a.blade.php`: `.blade.php`, then `.php`. */
function extensionsOf(fileName: string): string[] {
  const name = fileName.toLowerCase();
  return [...name.matchAll(/\./g)].map(({ index }) => name.slice(index));
}

function choose(extension: string, candidates: readonly string[], head: string): string {
  const [only, another] = candidates;
  if (only !== undefined && another === undefined) return only;
  if (candidates.includes('XML') && /^\s*<(?:\?xml|!DOCTYPE TS)\b/.test(head)) return 'XML';
  if (candidates.includes('Hack') && /^\s*<\?hh\b/.test(head)) return 'Hack';
  if (extension === '.h') return OBJECTIVE_C.test(head) ? 'Objective-C' : CPP.test(head) ? 'C++' : 'C';
  if (extension === '.m') return OBJECTIVE_C.test(head) ? 'Objective-C' : 'MATLAB';
  const asked = byInterpreter.get(interpreterOf(head))?.find((name) => candidates.includes(name));
  const primary = candidates.find((name) => primaryExtension.get(name) === extension);
  return asked ?? USUAL[extension] ?? primary ?? only ?? extension;
}

/** `python` of `#!/usr/bin/env -S python3.11 -u`; empty without such a line. */
function interpreterOf(head: string): string {
  const line = /^#!\s*(?:\S*\/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*)?(\S+)/.exec(head);
  const program = line?.[1]?.replace(/^.*\//, '') ?? '';
  return byInterpreter.has(program) ? program : program.replace(/[\d.]+$/, '');
}

function note(map: Map<string, string[]>, key: string, language: string): void {
  const known = map.get(key);
  if (known) known.push(language);
  else map.set(key, [language]);
}
