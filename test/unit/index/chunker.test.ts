import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { chunk, CHUNK_SIZE } from '../../../activities/index/analysis/chunker.ts';
import type { Chunk } from '../../../activities/index/analysis/chunker.ts';
import { decodeText } from '../../../domain/git/text.ts';
import { languageOf } from '../../../activities/index/analysis/language.ts';
import { realFiles } from './real-files.ts';

const sizeOf = (text: string): number => text.replaceAll(/[\0- ]/g, '').length;
const LONE_SURROGATE_CUT = /[\ud800-\udbff]$/;

/** Invariants of the chunks of any text. */
function expectSound(text: string, chunks: readonly Chunk[]): void {
  expect(chunks.map((piece) => piece.text).join('')).toBe(text);
  let start = 0;
  for (const piece of chunks) {
    expect(piece.text).not.toBe('');
    expect(sizeOf(piece.text)).toBeLessThanOrEqual(CHUNK_SIZE);
    expect(piece.startLine).toBe(lineOf(text, start));
    expect(piece.endLine).toBe(lineOf(text, start + piece.text.length - 1));
    if (start > 0 && text[start - 1] !== '\n') expectCutInLongLine(text, start);
    expect(new Set(piece.symbols).size).toBe(piece.symbols.length);
    expect(new Set(piece.scope).size).toBe(piece.scope.length);
    start += piece.text.length;
  }
}

function expectCutInLongLine(text: string, at: number): void {
  const line = text.slice(
    text.lastIndexOf('\n', at - 1) + 1,
    text.indexOf('\n', at) < 0 ? undefined : text.indexOf('\n', at),
  );
  expect(sizeOf(line)).toBeGreaterThan(CHUNK_SIZE);
  const inPair = LONE_SURROGATE_CUT.test(text.slice(0, at)) && /^[\udc00-\udfff]/.test(text.slice(at));
  expect(inPair).toBe(false);
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

const line = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 60 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'function f() {',
      '}',
      'class A {',
      '// note',
      '  x = [',
      ']',
      'def f():',
      '  """',
      '`',
      '',
    ),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('漢字 '.repeat(900), '👩‍👩‍👧'.repeat(400), 'a'.repeat(5_000), ' '.repeat(3_000)),
  },
);
const anyText = fc
  .tuple(fc.array(line, { maxLength: 120 }), fc.constantFrom('\n', '\r\n', '\r'), fc.boolean())
  .map(([lines, newline, final]) => lines.join(newline) + (final ? newline : ''));
const anyLanguage = fc.constantFrom('TypeScript', 'Python', 'Rust', 'C++', 'Ruby', 'PHP', 'Shell', 'Markdown', null);

describe('the chunker', () => {
  test.prop([anyText, anyLanguage], { numRuns: 150 })(
    'loses nothing and stays in bounds on any text',
    async (text, language) => {
      const chunks = await chunk(text, language);
      expectSound(text, chunks);
      expect(await chunk(text, language)).toEqual(chunks);
    },
  );

  test('loses nothing on real files, and splits them independently of their order', async () => {
    const files = realFiles({ most: 250 }).map(({ path, content }) => ({ path, text: decodeText(content) }));
    expect(files.length).toBeGreaterThan(200);
    const once = new Map<string, Chunk[]>();
    for (const { path, text } of files) {
      const chunks = await chunk(text, languageOf(path, text));
      expectSound(text, chunks);
      once.set(text, chunks);
    }
    for (const { path, text } of files.toReversed()) {
      expect(await chunk(text, languageOf(path, text))).toEqual(once.get(text));
    }
  });

  const filler = (n: number, of: (i: number) => string): string =>
    Array.from({ length: n }, (_, i) => of(i)).join('\n');

  test('cuts between functions, keeps comments with what they are about, and knows what is defined where', async () => {
    const method = (name: string): string =>
      `  /** Does ${name}. */\n  ${name}(): void {\n${filler(14, (i) => `    this.step(${i}, 'some text ${name}');`)}\n  }\n`;
    const text = `import x from 'x';\n\nexport class Machine {\n${['start', 'stop', 'pause', 'resume'].map(method).join('\n')}}\n\nexport const LIMIT = 3;\nexport type Speed = number;\n`;
    const chunks = await chunk(text, 'TypeScript');
    expectSound(text, chunks);
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks[0]?.symbols).toEqual(['Machine', 'start', 'stop']);
    expect(chunks[1]?.symbols).toEqual(['pause', 'resume', 'LIMIT', 'Speed']);
    expect(chunks[1]?.text).toMatch(/^ {2}\/\*\* Does pause/);
  });

  test('a chunk of a long definition has its scope', async () => {
    const text = `class A {\n  void run() {\n${filler(120, (i) => `    call(${i}, "argument ${i}");`)}\n  }\n}\n`;
    const chunks = await chunk(text, 'Java');
    expectSound(text, chunks);
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks[0]?.symbols).toEqual(['A', 'run']);
    expect(chunks[1]).toMatchObject({ symbols: [], scope: ['A', 'run'] });
  });

  test.each([
    [
      'TypeScript',
      'export enum E { A }\ninterface I {}\nabstract class C { abstract m(): void }\n',
      ['E', 'I', 'C', 'm'],
    ],
    ['TSX', 'export const View = () => <a/>;\n', ['View']],
    ['JavaScript', 'export const a = 1;\nfunction f() {}\n', ['a', 'f']],
    ['Python', 'LIMIT = 1\nclass A:\n  def f(self): pass\n', ['LIMIT', 'A', 'f']],
    ['Go', 'package p\nconst Max = 1\ntype T struct{}\nfunc (t T) Run() {}\n', ['Max', 'T', 'Run']],
    ['Rust', 'const N: u8 = 1;\nstruct S;\nimpl S { fn new() {} }\ntrait T {}\n', ['N', 'S', 'new', 'T']],
    ['Java', 'enum E { A }\nrecord R(int x) {}\nclass C { int f; void m() {} }\n', ['E', 'A', 'R', 'C', 'f', 'm']],
    ['C', '#define N 1\nstruct s { int a; };\nint f(void) { return 1; }\n', ['N', 's', 'f']],
    ['C++', 'namespace n { class C { void m() {} }; }\nint f() { return 1; }\n', ['n', 'C', 'm', 'f']],
    [
      'C++',
      'class EXPORT A : public B {};\nclass EXPORT(x) C final {};\nstruct EXPORT D { int a; };\n',
      ['A', 'C', 'D'],
    ],
    [
      'C++',
      'A_NAMESPACE_BEGIN\ntemplate <class T> class V {};\ntemplate <> struct V<int> {};\nA_NAMESPACE_END\n',
      ['V'],
    ],
    [
      'C++',
      'template <class T> void V<T>::push(T t) {}\nvoid a::b::C::deep() {}\nclass D::Impl {};\n',
      ['push', 'deep', 'Impl'],
    ],
    ['C#', 'struct S { public int P { get; set; } }\nclass C { void M() {} }\n', ['S', 'P', 'C', 'M']],
    ['Ruby', 'LIMIT = 1\nmodule M\n  class C\n    def m; end\n  end\nend\n', ['LIMIT', 'M', 'C', 'm']],
    ['PHP', '<?php\nclass C { const K = 1; function m() {} }\nfunction f() {}\n', ['C', 'K', 'm', 'f']],
    ['Kotlin', 'class C { val p = 1\n fun m() {} }\nobject O\nfun f() {}\n', ['C', 'p', 'm', 'O', 'f']],
    ['Scala', 'class C { def m = 1 }\nobject O\n', ['C', 'm', 'O']],
    ['Lua', 'function f() end\nlocal t = { g = function() end }\n', ['f', 'g']],
    ['Shell', 'NAME=1\nrun() { echo; }\n', ['NAME', 'run']],
    [
      'Swift',
      'public final class S { let x = 1\n  func f() { let y = 1 } }\nprotocol P { func p() }\nenum E { case a }\n',
      ['S', 'x', 'f', 'P', 'p', 'E', 'a'],
    ],
    [
      'Elixir',
      'defmodule A.B do\n  import C\n  @callback c(x) :: y\n  def f(x) when x, do: x\n  defp g, do: 1\nend\ndefprotocol P do\nend\n',
      ['B', 'c', 'f', 'g', 'P'],
    ],
    [
      'Haskell',
      'module A.B where\nimport C\ndata D = E { f :: Int }\nclass K a where\n  m :: a\n(<+>) :: Int\ng x = h where h = 1\n',
      ['B', 'D', 'E', 'f', 'K', 'm', '<+>', 'g'],
    ],
    ['Zig', 'pub const S = struct {\n  pub fn f() void { const y = 1; }\n};\nfn g() void {}\n', ['S', 'f', 'g']],
    [
      'Dart',
      'class C { int get p => 1; void m() {} }\nmixin M {}\nenum E { a }\nvoid f() {}\n',
      ['C', 'p', 'm', 'M', 'E', 'a', 'f'],
    ],
  ])('finds the definitions of %s', async (language, text, symbols) => {
    const [only] = await chunk(text, language);
    expect(only?.symbols).toEqual(symbols);
  });

  test.each([
    ['C', 'struct s; enum e; int f(void);\nstatic int g(int x);\nint *h(void);\n', ['e', 'f', 'g', 'h']],
    ['C++', 'class A;\nclass B { virtual void m() = 0; static B* n(); };\n', ['A', 'm', 'n']],
    [
      'Rust',
      'mod m;\npub use a::{B, c::D, e::{F}, G as H};\nuse i::J;\nimpl<T> K for L<T> {}\nextern "C" { fn o(); }\n',
      ['m', 'B', 'D', 'F', 'H', 'L', 'o'],
    ],
    [
      'TypeScript',
      "export { A, b as c } from './x';\nexport type { D } from './y';\nexport * as e from './z';\n",
      ['A', 'c', 'D', 'e'],
    ],
    ['JavaScript', "import { A } from './x';\nexport { b } from './y';\n", ['b']],
    ['Haskell', 'module A (B(..), c, (<+>), module D) where\n', ['B', 'c', '<+>']],
    ['Swift', 'extension S { }\n', ['S']],
    ['Elixir', 'defimpl P, for: A do\nend\n', ['P']],
    ['Zig', 'const std = @import("std");\npub const T = other.T;\n', ['std', 'T']],
    ['Dart', "export 'y.dart' show Z;\n", ['Z']],
  ])('finds what %s only declares, extends or exports again', async (language, text, declares) => {
    const [only] = await chunk(text, language);
    expect(only?.declares).toEqual(declares);
    expect(only?.symbols.filter((name) => declares.includes(name))).toEqual([]);
  });

  test('a name that is declared and defined in the same chunk is defined', async () => {
    const [only] = await chunk('int f(void);\nint f(void) { return 1; }\n', 'C');
    expect(only).toMatchObject({ symbols: ['f'], declares: [] });
  });

  test('a C function is the scope of its body, though the query marks its declarator', async () => {
    const text = `static int *long_one(int a)\n{\n${filler(150, (i) => `  use(a, ${i}, "and more");`)}\n  return 0;\n}\n`;
    const chunks = await chunk(text, 'C');
    expect(chunks.at(-1)?.scope).toEqual(['long_one']);
  });

  test('cuts text without grammar at blank lines, where there are some', async () => {
    const paragraph = (i: number): string => `${`paragraph ${i} has words. `.repeat(14)}\n\n`;
    const text = filler(20, paragraph);
    const chunks = await chunk(text, 'Markdown');
    expectSound(text, chunks);
    for (const piece of chunks.slice(0, -1)) expect(piece.text).toMatch(/\n\n+$/);
  });

  test('a file that would exhaust the parser is cut by lines', { timeout: 60_000 }, async () => {
    for (const text of ['('.repeat(100_000), `x = [${'1,\n'.repeat(60_000)}]`, `${'a +\n'.repeat(50_000)}1`]) {
      expectSoundInBulk(text, await chunk(text, 'JavaScript'));
    }
    const large = 'const a = 1;\n'.repeat(40_000);
    const chunks = await chunk(large, 'JavaScript');
    expectSoundInBulk(large, chunks);
    expect(chunks[0]?.symbols).toEqual([]);
  });

  test('empty text has no chunks', async () => {
    expect(await chunk('', 'TypeScript')).toEqual([]);
    expect(await chunk('', null)).toEqual([]);
  });
});

function expectSoundInBulk(text: string, chunks: readonly Chunk[]): void {
  expect(chunks.map((piece) => piece.text).join('') === text).toBe(true);
  expect(Math.max(...chunks.map((piece) => sizeOf(piece.text)))).toBeLessThanOrEqual(CHUNK_SIZE);
}
