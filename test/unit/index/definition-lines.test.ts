import { describe, expect, test } from 'vitest';
import { chunk } from '../../../activities/index/analysis/chunker.ts';
import { definitionLines } from '../../../activities/index/analysis/definition-lines.ts';
import { answersInThread } from '../../support/answer-in-thread.ts';

describe('definitions by their lines', () => {
  test.each([
    [
      'Swift',
      'public final class Session: Sendable {\n    open func request(_ url: URL) -> Request {\n',
      ['Session', 'request'],
    ],
    ['Swift', '@objc protocol Cancellable {}\nextension Array where Element: Hashable {\n', ['Cancellable', 'Array']],
    [
      'Elixir',
      'defmodule Phoenix.Router do\n  @doc false\n  defp build_scope(opts), do: opts\n',
      ['Router', 'build_scope'],
    ],
    [
      'Haskell',
      'module Data.Text.Lazy where\nunpack :: Text -> String\nunpack = go\ndata Step s = Done\n',
      ['Lazy', 'unpack', 'Step'],
    ],
    ['Zig', 'pub const ArrayList = struct {\n    pub fn append(self: *Self) !void {\n', ['ArrayList', 'append']],
    ['Dart', 'abstract class Widget {\n  final Key? key;\n}\nmixin Ticker on State {}\n', ['Widget', 'Ticker']],
    ['OCaml', 'let rec fold_left f acc = ()\nmodule Make (M : S) = struct\n', ['fold_left', 'Make']],
    ['Clojure', '(defn- parse-line [line])\n(defrecord Point [x y])\n', ['parse', 'Point']],
    ['R', 'read_table <- function(path) {\n', ['read_table']],
  ])('%s', (_language, text, names) => {
    expect(definitionLines(text).map(({ name }) => name)).toEqual(names);
  });

  test('points at the name', () => {
    const text = '\n  func run() {}\n';
    expect(definitionLines(text).map(({ at, name }) => text.slice(at, at + name.length))).toEqual(['run']);
  });

  test('calls, variables of functions and sentences define nothing', () => {
    expect(definitionLines('  let x = 1\n  return class_of(y)\n// the class is final\nfoo(func)\n')).toEqual([]);
  });

  test('a program without a grammar has symbols, prose has none', async () => {
    expect((await chunk('class Session {\n}\n', 'Swift'))[0]?.symbols).toEqual(['Session']);
    expect((await chunk('class Session is explained here.\n', 'Markdown'))[0]?.symbols).toEqual([]);
  });

  test('answers for texts designed to be slow', async () => {
    const texts = ['public static final '.repeat(20_000), ' '.repeat(200_000), `${'a.'.repeat(100_000)}\n`];
    const module = new URL('../../../activities/index/analysis/definition-lines.ts', import.meta.url);
    const calls = texts.map((text) => [text]);
    expect(await answersInThread(module, 'definitionLines', calls)).toEqual([[], [], []]);
  });
});
