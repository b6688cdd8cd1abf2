import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as linguist from 'linguist-languages';

const MODULES = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

/** Linguist's name of a grammar's language, where it is not an alias of it. */
const NAMES: Readonly<Record<string, string>> = { 'c-sharp': 'C#', cpp: 'C++', bash: 'Shell' };

/** A file name that selects a grammar. */
export function fileNameFor(grammar: string): string {
  const name = (NAMES[grammar] ?? grammar).toLowerCase();
  const languages: readonly { name: string; extensions?: readonly string[] }[] = Object.values(linguist);
  const language = languages.find((each) => each.name.toLowerCase() === name);
  const extension = language?.extensions?.[0];
  if (extension === undefined) throw new Error(`linguist knows no extension of a language named ${name}`);
  return `file${extension}`;
}

/** The keywords and operators of a grammar's language, out of its own description; empty when its package has none. */
export function tokensOf(grammar: string): string[] {
  const tokens = new Set<string>();
  const folders = readdirSync(MODULES).filter((name) => name.startsWith('tree-sitter-') || name.startsWith('@'));
  for (const folder of folders) {
    for (const path of readdirSync(MODULES + folder, { recursive: true, encoding: 'utf8' })) {
      if (!/(^|\/)src\/grammar\.json$/.test(path) || path.includes('node_modules')) continue;
      const described = JSON.parse(readFileSync(`${MODULES}${folder}/${path}`, 'utf8')) as { name?: string };
      if (described.name?.replaceAll('_', '-') === grammar) collect(described, tokens);
    }
  }
  return [...tokens];
}

function collect(rule: unknown, tokens: Set<string>): void {
  if (typeof rule !== 'object' || rule === null) return;
  if ('type' in rule && rule.type === 'STRING' && 'value' in rule && typeof rule.value === 'string') {
    if (rule.value !== '') tokens.add(rule.value);
  }
  for (const inner of Object.values(rule)) collect(inner, tokens);
}

/** Programs with what scanners written by hand have to remember: quotes, nesting, indents, heredocs, raw strings. */
const PROGRAMS: Readonly<Record<string, string>> = {
  bash: `#!/bin/bash
set -euo pipefail
name="a \${x:-$(date +%s)} b"; arr=(1 "2 3" $'\\t')
cat <<EOF > out && cat <<-'END'
text $name \`ls\` $((1 + 2)) \${arr[@]#p}
EOF
	raw $x
	END
if [[ $a =~ ^[a-z]+$ && -f "$b" ]]; then f() { local y=1; }; fi
case "$1" in -h|--help) usage ;; *) shift;; esac
for i in {1..3}; do echo "$i" | tee -a log; done
`,
  c: `#include <stdio.h>
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#if defined(X) && !Y
struct point { int x, y; } __attribute__((packed));
#else
typedef enum { RED = 1, GREEN } color;
#endif
static inline const char *name(int n, ...) { switch (n) { case 1: return "a\\n" "b"; default: goto end; } end: return L"x"; }
`,
  cpp: `#include <vector>
template <typename T, auto N = 3> requires std::integral<T>
class Box final : public Base<T> { public: Box() noexcept : v{} {} ~Box(); operator bool() const; T v[N]; };
auto s = R"delim(raw ) " \\n text)delim"; auto f = [&]<class U>(U&& u) mutable -> decltype(u) { co_await u; };
namespace a::b { enum class E : char { A = 'x' }; using X = std::vector<std::pair<int, int>>; }
`,
  'c-sharp': `using System;
namespace A.B;
[Obsolete("x")] public sealed record R<T>(int X, string? Y = null) where T : class, new();
class C { string s = $@"a {x:0.00} ""b"""; string r = """
  raw "text" {x}
  """; string i = $$"""{{x}} {y}"""; public int P { get; init; } = 1;
  async Task M() { await foreach (var x in xs) { if (x is { Length: > 3 } and not null) yield return x; } }
#if DEBUG
#region x
#endregion
#endif
}
`,
  dart: `import 'package:a/b.dart' as c show D;
/* nested /* comment */ */ abstract class A<T extends B?> with C implements D { final int? x; A(this.x, {required String y}) : super(); factory A.of() => A._();
  Future<void> f() async* { yield* g(); var s = 'a $x \${y + 'b \${z}'}'; var r = r"""raw $x"""; switch (o) { case P(:var x) when x > 1: break; default: } } }
extension E on int { int get twice => this * 2; }
`,
  elixir: `defmodule A.B do
  @moduledoc """
  doc #{x}
  """
  use C, only: [f: 1]
  def run(%{a: x} = m, [h | t]) when is_integer(x) do
    ~s(a #{x} b) <> ~S"""
    raw #{x}
    """ |> then(&(&1 + ?a)); case x do {:ok, ^y} -> fn a, b -> a ++ b end; _ -> :"quoted atom" end
  end
  defmacro m(do: block), do: quote(do: unquote(block))
end
`,
  haskell: `{-# LANGUAGE GADTs #-}
module A.B (f, T(..)) where
import qualified Data.Map as M
{- nested {- comment -} -}
data T a = A { x :: !Int } | B a deriving (Show, Eq)
class Monad m => C m where { op :: a -> m a; (<+>) :: a -> a -> a }
f :: forall a. (Ord a) => [a] -> Maybe a
f xs | null xs = Nothing
     | otherwise = do
  let y = case xs of { (h:_) -> h; _ -> undefined }
  pure $ if y > y then y else [q|raw text|] where z = 'a'; s = "a\\
    \\b"
`,
  swift: `import Foundation
/* nested /* comment */ */ @objc public final class A<T: B>: C where T.D == Int { var x: Int? { get { 1 } set { } }; init?(_ a: Int = 1, b c: String...) throws { super.init() } }
let s = "a \\(x + "b \\(y)") c", r = #"raw \\#(x) "text""#, m = """
  lines "x" \\
  """
enum E: String { indirect case a(Int), b = "x" }; func f() async -> some P { guard let x, case .a(let n) = y else { return } ; switch x { case 1...3 where n > 0: fallthrough; default: break } }
#if os(Linux)
extension A: P { subscript(i: Int) -> Int { list.map { $0 + i }[0] } }
#endif
`,
  zig: `const std = @import("std");
pub fn List(comptime T: type) type { return struct { items: []T, const Self = @This(); pub fn init(self: *Self) !void { defer self.x(); errdefer |e| y(e); } }; }
const s = \\\\raw line
    \\\\next
;
test "a" { for (xs, 0..) |x, i| { while (it.next()) |v| : (i += 1) { switch (v) { 'a'...'z' => |c| {}, else => unreachable } } } var e: error{A}!?u8 = null; asm volatile ("nop" ::: "memory"); }
`,
  go: `package main
import ("fmt"; m "math")
type T[K comparable, V any] struct { a, b int \`json:"a"\`; *Inner }
const ( A = iota; B )
func (t *T[K, V]) Run(xs ...int) (err error) { defer func() { recover() }(); go f(); select { case c <- 1: default: } 
for i := range xs { switch y := any(i).(type) { case int: fmt.Println(\`raw
text\`, 'x', 0x1p-2, y) } }; return nil }
`,
  java: `package a.b;
import static java.util.List.*;
@Deprecated(since = "1") public sealed interface S<T extends Comparable<? super T>> permits A, B {}
record P(int x, int... ys) { P { assert x > 0 : "x"; } }
class C { String t = """
    block "text" \\
    """; int f(Object o) { return switch (o) { case P(int x, var y) when x > 1 -> x; case null, default -> { yield 0; } }; } }
`,
  javascript: `import a, { b as c } from './x.js';
export default class A extends B { #p = 1; static { this.q = 2; } get x() { return \`t \${\`n \${1}\`} \`; } async *g() { yield* h?.[0]?.(); } }
const r = /[/\\]]+(?<n>x)/giu, o = { ...p, [k]: v, 'a-b'() {} }; label: for (const x of y) continue label
<!-- html comment
let j = <div a="1" {...b}>{c} text &amp; <></></div>; a ?? b; a ||= b; if (a) b
else c
`,
  kotlin: `package a.b
@file:JvmName("X")
import a.b.* 
data class D<out T : Any>(val x: Int = 1, var y: String?) : B(), I by z { companion object { const val K = 1 } }
fun <T> T.f(vararg a: Int, b: (Int) -> Unit): Int = when (a) { is Int -> 1; in 1..2 -> { "a \${b + "c \${d}"} $e" }; else -> """raw "text" $x""" .length }
/* nested /* comment */ */ val l = list.map { (a, b) -> a ?: return@map }
`,
  lua: `local t = { a = 1, ['b'] = 2; 3, f = function(...) return ... end }
--[==[ long ]] comment ]==]
function t.a:b(x) goto done ::done:: local s <const> = [[
long [=[ string
]] .. "a\\z
  b" return #s // 2 end
for i, v in pairs(t) do if not v then break elseif v ~= 1 then repeat until x end end
`,
  php: `<html><?= $x ?>
<?php declare(strict_types=1); namespace A\\B; use C\\{D, function e};
#[Attr(1)] abstract class K extends L implements M { public function __construct(private readonly ?int $a = null, string|int ...$b) {} }
$s = <<<EOT
text {$a['b']->c} \${d} $e[0]
  EOT . <<<'RAW'
raw $x
RAW;
$f = fn(int $x): int => match(true) { $x > 1 => 2, default => throw new E() }; echo "a {$b} \\u{1F600}", \`ls $c\`; ?>
<p>end</p>
`,
  python: `# -*- coding: utf-8 -*-
from __future__ import annotations
@dec(x, *a, **k)
async def f[T](a: int = 1, /, b=2, *, c: "str") -> list[T]:
    """doc"""
    with open(p) as x, y: pass
    match x:
        case {"a": [1, *r], **k} if r: return f"{x!r:>{w}} {'n' f'{y}'}"
        case Point(x=0) | None: yield
    s = r'''raw
  text''' b"\\x00"; print(*[i for i in range(3) if (n := i)], sep='')
	# tab
class A(B, metaclass=C): x: int = lambda a, *b: (yield)
`,
  ruby: `# frozen_string_literal: true
module A; class B < C::D; attr_reader :x, :"y z"
  def self.f(a, b = 1, *c, d:, e: 2, **g, &h) = a&.b
  def m
    sql = <<~SQL.strip + <<-'RAW'
      SELECT #{x ? "a #{<<A} b" : 'c'} FROM t
inner
A
    SQL
    raw #{x}
    RAW
    %w[a b #{c}] + %i(a b) + %q{a {b} c}.to_a; x = /re #{y} [\\/]/mix; ?a; a ? b : c; puts <<"word"
text
word
    case [1, {a: 2}] in [Integer => n, {a:}] if n > 1 then n else nil end
  rescue E => e then retry ensure z end
end; end
__END__
data
`,
  rust: `#![allow(dead_code)]
use std::{collections::HashMap as M, fmt::*};
#[derive(Debug)] pub(crate) enum E<'a, T: ?Sized + 'a = str> where T: Copy { A { x: u8 }, B(&'a T), C = 1 }
/* nested /* comment */ */ macro_rules! m { ($($x:expr),* $(,)?) => { $( println!("{:?}", $x); )* }; }
impl<T> Tr for S<T> { async unsafe fn f<const N: usize>(&mut self, _: [u8; N]) -> impl Fn(i32) -> Result<(), Box<dyn Error>> { let s = r##"raw "# text"##; let c = '\\u{1F600}'; 'l: loop { if let Some(x @ 1..=3) = y && z { break 'l; } } move |x| Ok(x?) } }
`,
  scala: `package a.b
import c.{d => e, _}, f.g.*
sealed trait T[+A, F[_]] extends U with V { self: W => def f[X <: Y](x: => Int)(using y: Z): X = ??? }
case class C(x: Int = 1, s: String*) { val t = s"a \${x + s"\${y}"} $z" + """raw "text" \${x}""" }
enum E: case A, B(x: Int)
object O extends App:
  given Ord[Int] with
    def cmp(a: Int) = a match { case h :: t if h > 1 => (h, t); case _ => { case x => x } }
  extension (x: Int) def y = for { a <- b; if c } yield <xml a={b}>{c}</xml>
`,
  typescript: `import type { A } from './a';
declare module 'x' { export = y; }
abstract class C<T extends keyof U = never> implements I { private readonly #x!: string; constructor(public a?: number) { super(); } @dec() static get y(): asserts this is T { return <any>this as const; } }
type M<T> = { readonly [K in keyof T as \`get\${Capitalize<K>}\`]?: T[K] extends infer R ? R : never } & typeof x;
enum E { A = 1 << 2, B = 'b' } function f(this: Window, ...a: [x: number, y?: string]): a is B; namespace N.O { let z = a! satisfies B; }
`,
  tsx: `import * as React from 'react';
export const V = <T,>({ a, ...b }: P<T>): JSX.Element => (<Ctx.Provider value={{ a }}>{b.c && <p key="1" {...b}>text &nbsp; {\`t \${a}\`}</p>}<></></Ctx.Provider>);
type X = A extends B ? C : D; function g<T>(x: T) { return x as unknown as string; }
`,
};

/** A program in the language of a grammar; empty when there is none. */
export function programFor(grammar: string): string {
  return PROGRAMS[grammar] ?? '';
}

/** Programs on which a grammar is known to abort: what follows them must not notice. */
export const ABORTING: Readonly<Record<string, readonly string[]>> = {
  ruby: [`def add(sql)\n  sql <<"${'column '.repeat(60)}"\nend\n`],
};
